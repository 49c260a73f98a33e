"""Settings of small runs."""

import csv

import keras

from kseg.config import TrainConfig

SMALL = {"model_options": {"filters": 4, "levels": 3}}


def settings(parts_root, folder, **changes):
    values = {
        "data_root": str(parts_root),
        "train_save_path": str(folder),
        "input_height": 32,
        "input_width": 32,
        "epochs": 2,
        "jit": "auto" if keras.backend.backend() == "jax" else "off",
        **SMALL,
    }
    return TrainConfig(**{**values, **changes})


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
