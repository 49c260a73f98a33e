"""Train every model of the founding table on small close-ups of `parts`.

The foreground IoU is measured in inference mode on test images that no training has seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jsonargparse import auto_cli  # noqa: E402
from result_files import merge_rows, read_rows  # noqa: E402

RESULT = "table_on_parts.csv"
SIZE = 96
IMAGES = 400
# Parts as large as at 224x224, on even ground: a few hundred steps on two cores are to do.
LOOK = {"clutter": 0.0, "magnification": 224 / SIZE}


@dataclass(frozen=True)
class Recipe:
    """How a model of the table is trained.

    Attributes:
        steps: Training steps.
        batch_size: Images of each step.
        learning_rate: Highest learning rate of Adam.
        ema: Momentum of a running mean of the weights, 0 for none.
        precision: "mixed_bfloat16" halves the time of most models on processors that have it.
        backend: Backend of Keras.
        model_options: Keyword options of the model as JSON.
    """

    steps: int = 500
    batch_size: int = 4
    learning_rate: float = 0.002
    ema: float = 0.0
    precision: str = "float32"
    backend: str = "tensorflow"
    model_options: str = "{}"


# Where the usual recipe does not do.
RECIPES = {
    "attunet": Recipe(steps=900),
    "enet": Recipe(steps=1400),
    "fcn8": Recipe(steps=900, batch_size=8),
    "icnet": Recipe(steps=900, batch_size=8),
    "mobilenet_unet": Recipe(steps=900, batch_size=8),
    "scseunet": Recipe(batch_size=8),
    "seunet": Recipe(batch_size=8),
    "unet++": Recipe(steps=600),
    "unet_xception_resnetblock": Recipe(steps=600),
    "hrnet": Recipe(steps=800, ema=0.98),
    "mobilenet_fcn8": Recipe(steps=4000, batch_size=16, learning_rate=0.006, ema=0.98),
    "pspnet": Recipe(steps=2400, batch_size=8, learning_rate=0.003, ema=0.98),
    "r2attunet": Recipe(900, learning_rate=0.0015, ema=0.98, precision="mixed_bfloat16"),
    "r2unet": Recipe(900, learning_rate=0.0015, ema=0.98, precision="mixed_bfloat16"),
    "vggunet": Recipe(600, batch_size=8, precision="mixed_bfloat16"),
    "deeplab_v2": Recipe(
        steps=2000,
        learning_rate=0.0003,
        ema=0.98,
        precision="mixed_bfloat16",
        backend="torch",  # where dilated convolutions are several times as fast
        model_options='{"dropout": 0}',
    ),
}


def main(
    models: list[str] | None = None,
    below: float = 0.85,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    ema: float | None = None,
    precision: str | None = None,
    seed: int = 0,
) -> None:
    """Train the models that have no row yet or a low score, each in a process of its own.

    Args:
        models: Registered names, which are trained whatever their row says; by default those of the
            founding table.
        below: Models whose foreground IoU is below this are trained again.
        steps: Training steps, in place of the recipe's, as the next four.
        batch_size: Images of each step.
        learning_rate: Highest learning rate of Adam.
        ema: Momentum of a running mean of the weights, 0 for none.
        precision: "float32" or "mixed_bfloat16".
        seed: Seed of the weights and the augmentation.
    """
    from kseg.data.parts import write_parts
    from kseg.models import list_models, model_spec

    given = {
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "ema": ema,
        "precision": precision,
    }
    given = {name: value for name, value in given.items() if value is not None}
    table = [name for name in list_models() if model_spec(name).founding_parameters]
    rows = read_rows(RESULT)
    done = {row["model"] for row in rows if float(row["foreground_iou"]) >= below}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_parts(root / "parts", size=(SIZE, SIZE), train=IMAGES, val=16, test=40, **LOOK)
        for name in models or [name for name in table if name not in done]:
            recipe = replace(RECIPES.get(name, Recipe()), **given)
            row = train(name, root, recipe, seed)
            print(row, flush=True)
            merge_rows(RESULT, ("model",), [row])


def train(name: str, root: Path, recipe: Recipe, seed: int) -> dict[str, object]:
    """Train one model by the command that users have, and return its row."""
    epochs = max(1, round(recipe.steps * recipe.batch_size / IMAGES))
    flags = {
        "model_name": name,
        "data_root": root,
        "train_save_path": root / "weights",
        "input_height": SIZE,
        "input_width": SIZE,
        "train_batch_size": recipe.batch_size,
        "val_batch_size": recipe.batch_size,
        "epochs": epochs,
        "augment": "turns",
        "loss": "ce_dice",
        "learning_rate": recipe.learning_rate,
        "ema": recipe.ema,
        "precision": recipe.precision,
        "model_options": recipe.model_options,
        "seed": seed,
    }
    arguments = [f"--{flag}={value}" for flag, value in flags.items()]
    command = [sys.executable, "-m", "kseg.cli", "train", *arguments, "--overwrite"]
    environment = {**os.environ, "KERAS_BACKEND": recipe.backend}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    run = root / "weights" / "exp1" / name
    means = json.loads((run / "evaluation" / "report.json").read_text())["means"]
    with (run / "metrics.csv").open() as file:
        seconds = sum(float(line.split(",")[-1]) for line in file.readlines()[1:])
    environment = json.loads((run / "environment.json").read_text())
    return {
        "model": name,
        "size": SIZE,
        "batch_size": recipe.batch_size,
        "steps": epochs * IMAGES // recipe.batch_size,
        "foreground_iou": round(means["foreground_iou"], 3),
        "training_seconds": round(seconds),
        "backend": environment["backend"],
        "precision": recipe.precision,
        "model_options": "" if recipe.model_options == "{}" else recipe.model_options,
    }


if __name__ == "__main__":
    auto_cli(main)
