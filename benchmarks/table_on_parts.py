"""Train every model of the founding table on small close-ups of `parts`.

The foreground IoU is measured in inference mode on test images that no training has seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jsonargparse import auto_cli  # noqa: E402
from result_files import read_rows, write_rows  # noqa: E402

RESULT = "table_on_parts.csv"
SIZE = 96
IMAGES = 400
# Parts as large as at 224x224, on even ground: a few hundred steps on two cores are to do.
LOOK = {"clutter": 0.0, "magnification": 224 / SIZE}


def main(
    models: list[str] | None = None,
    steps: int = 300,
    batch_size: int = 4,
    learning_rate: float = 0.002,
    ema: float = 0.0,
    seed: int = 0,
) -> None:
    """Train the models that have no row yet, each in a process of its own.

    Args:
        models: Registered names; by default those of the founding table. Named ones are trained
            again where they have a row.
        steps: Training steps of each model.
        batch_size: Images of each step.
        learning_rate: Highest learning rate of Adam.
        ema: Momentum of a running mean of the weights, 0 for none.
        seed: Seed of the weights and the augmentation.
    """
    from kseg.data.parts import write_parts
    from kseg.models import list_models, model_spec

    options = {"learning_rate": learning_rate, "ema": ema, "seed": seed}
    table = [name for name in list_models() if model_spec(name).founding_parameters]
    rows = {row["model"]: row for row in read_rows(RESULT)}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_parts(root / "parts", size=(SIZE, SIZE), train=IMAGES, val=16, test=40, **LOOK)
        for name in models or [name for name in table if name not in rows]:
            rows[name] = train(name, root, steps, batch_size, options)
            print(rows[name], flush=True)
            write_rows(RESULT, [rows[name] for name in sorted(rows)])


def train(
    name: str, root: Path, steps: int, batch_size: int, options: dict[str, float]
) -> dict[str, object]:
    """Train one model by the command that users have, and return its row."""
    epochs = max(1, round(steps * batch_size / IMAGES))
    flags = {
        "model_name": name,
        "data_root": root,
        "train_save_path": root / "weights",
        "input_height": SIZE,
        "input_width": SIZE,
        "train_batch_size": batch_size,
        "val_batch_size": batch_size,
        "epochs": epochs,
        "augment": "turns",
        "loss": "ce_dice",
        **options,
    }
    arguments = [f"--{flag}={value}" for flag, value in flags.items()]
    command = [sys.executable, "-m", "kseg.cli", "train", *arguments, "--overwrite"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    run = root / "weights" / "exp1" / name
    means = json.loads((run / "evaluation" / "report.json").read_text())["means"]
    with (run / "metrics.csv").open() as file:
        seconds = sum(float(line.split(",")[-1]) for line in file.readlines()[1:])
    environment = json.loads((run / "environment.json").read_text())
    return {
        "model": name,
        "size": SIZE,
        "batch_size": batch_size,
        "steps": epochs * IMAGES // batch_size,
        "foreground_iou": round(means["foreground_iou"], 3),
        "training_seconds": round(seconds),
        "backend": environment["backend"],
    }


if __name__ == "__main__":
    auto_cli(main)
