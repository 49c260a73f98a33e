"""Seconds of `kseg evaluate` for a folder of label masks against another, without a model."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jsonargparse import auto_cli
from result_files import write_rows

RESULT = "score_masks.csv"


def main(
    predictions: str, labels: str, n_classes: int, ignore_class: int, repeats: int = 3
) -> None:
    """Time the command, and its scoring by itself.

    Args:
        predictions: Folder of label masks.
        labels: Folder of their label maps.
        n_classes: Number of classes.
        ignore_class: Label that counts nowhere.
        repeats: Runs; the medians count.
    """
    whole, scoring, images = [], [], 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as output:
            flags = ["--mode=score", f"--predictions={predictions}", f"--labels={labels}"]
            flags += [f"--n_classes={n_classes}", f"--ignore_class={ignore_class}"]
            command = [sys.executable, "-m", "kseg.cli", "evaluate", *flags, f"--output={output}"]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            whole.append(time.perf_counter() - start)
            speed = json.loads((Path(output) / "speed.json").read_text("utf-8"))
            scoring.append(speed["seconds"])
            images = speed["images"]
    row = {
        "images": images,
        "cpus": len(os.sched_getaffinity(0)),
        "command_seconds": round(statistics.median(whole), 2),
        "scoring_seconds": round(statistics.median(scoring), 2),
    }
    print(row)
    write_rows(RESULT, [row])


if __name__ == "__main__":
    auto_cli(main)
