"""Which optimizer learns well with its default settings: a short U-Net run with each on `parts`."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from jsonargparse import auto_cli
from result_files import write_rows
from rich.console import Console
from rich.table import Table

RUNS = (
    ("adadelta", 0.001, "Keras' default rate, the founding project's choice"),
    ("adadelta", 1.0, "the rate of the paper"),
    ("sgd", 0.01, "Nesterov momentum 0.9"),
    ("rmsprop", 0.001, ""),
    ("adam", 0.001, "kseg's default"),
    ("adamw", 0.001, ""),
)


def main(epochs: int = 8, size: int = 64, data_root: str = "data", seed: int = 0) -> None:
    """Train with each optimizer and write results/optimizers.csv.

    Args:
        epochs: Epochs of each run.
        size: Height and width of the input.
        data_root: Folder of the data set `parts`.
        seed: Seed of every run.
    """
    rows = []
    for name, rate, note in RUNS:
        score = best_score(
            ["--optimizer_name", name, "--learning_rate", str(rate), "--epochs", str(epochs)]
            + ["--input_height", str(size), "--input_width", str(size)]
            + ["--data_root", data_root, "--seed", str(seed), "--augment", "flips"]
            + ["--model_options", '{"filters": 16}']
        )
        rows.append(
            {"optimizer": name, "learning_rate": rate, "val_iou_score": score, "note": note}
        )
    write_rows("optimizers.csv", rows)
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


def best_score(flags: list[str]) -> float:
    """Return the best validation mean IoU of a run, in a process of its own."""
    script = Path(__file__).parents[1] / "examples" / "train.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, script, *flags, "--train_save_path", folder], check=True)
        with next(Path(folder).glob("*/*/metrics.csv")).open(newline="") as file:
            return round(max(float(row["val_iou_score"]) for row in csv.DictReader(file)), 4)


if __name__ == "__main__":
    auto_cli(main)
