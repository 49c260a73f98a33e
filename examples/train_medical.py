"""Train on few grey images with masks of 0 and 255, such as ISBI 2012; --help lists the flags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kseg.cli import run  # noqa: E402

if __name__ == "__main__":
    run("train_medical")
