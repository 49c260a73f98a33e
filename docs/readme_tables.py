"""The tables of README.md, and its sentences about results."""

from __future__ import annotations

import json
from textwrap import indent

from model_tables import beyond_table, founding
from result_files import RESULTS, read_rows


def train_sentence() -> str:
    """Say what `make train` reached."""
    record = json.loads((RESULTS / "runs" / "parts.json").read_text())
    rows = read_rows("runs/parts.csv")
    settings = record["settings"]
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    return (
        f"Our run, with {settings['model_options']['filters']} filters at "
        f"{settings['input_height']}x{settings['input_width']}: foreground IoU "
        f"{record['means']['foreground_iou']:.3f} at 224x224 after {len(rows)} epochs, "
        f"{minutes:.1f} minutes of training on two CPU cores; the best single threshold on a "
        f"colour channel reaches {best_threshold():.2f}."
    )


def best_threshold() -> float:
    """Return the best IoU of one grey level for all test images, over the channels."""
    return max(float(row["iou"]) for row in read_rows("parts_threshold.csv"))


def optimizers_sentence() -> str:
    """Say what each optimizer reached in the same short run."""
    rows = read_rows("optimizers.csv")
    reached = ", ".join(
        f"`{row['optimizer']}` at {row['learning_rate']} {float(row['val_iou_score']):.2f}"
        for row in rows
    )
    return f"Mean IoU on validation images of `parts` after the same few epochs: {reached}."


def xla_sentence() -> str:
    """Say how much slower the compiled step is there."""
    (row,) = (row for row in read_rows("training_step.csv") if row["backend"] == "tensorflow")
    return (
        f"A training step of `{row['model']}` at {row['size']}x{row['size']} takes "
        f"{float(row['xla_over_plain']):.2f} times as long with it. `--jit on` turns it on."
    )


TABLES = {
    "train": train_sentence,
    "founding": founding,
    "beyond": beyond_table,
    "optimizers": lambda: indent(optimizers_sentence(), "  "),
    "xla": lambda: indent(xla_sentence(), "  "),
}
