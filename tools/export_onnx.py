"""Export a model to ONNX; --help lists the flags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kseg.cli import run  # noqa: E402

if __name__ == "__main__":
    run("export_onnx")
