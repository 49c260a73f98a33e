"""Seconds until the first training step is done, by when the variables of the optimizer are made.

`kseg train` makes them before; Keras by itself within the step, which TensorFlow then traces twice.
The models are compiled anew for each measurement, one way after the other.
"""

from __future__ import annotations

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from result_files import write_rows  # noqa: E402

from kseg.models import get_model  # noqa: E402

RESULT = "first_step.csv"


def main(
    models: tuple[str, ...] = ("unet", "enet", "deeplab_v3_plus"),
    size: int = 64,
    rounds: int = 3,
) -> None:
    """Measure models on small images, so that the step itself takes no time.

    Args:
        models: Registered names.
        size: Height and width of the images.
        rounds: Measurements of each way; the medians are written.
    """
    images = np.zeros((2, size, size, 3), "float32")
    labels = np.zeros((2, size, size), "uint8")
    rows = []
    for name in models:
        model = get_model(name, 2)
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(rounds):
            for built in (True, False):
                seconds[built].append(_first_step(model, images, labels, built))
        before, within = (statistics.median(seconds[built]) for built in (True, False))
        row = {
            "model": name,
            "backend": keras.backend.backend(),
            "built_before_seconds": round(before, 2),
            "built_within_seconds": round(within, 2),
            "ratio": round(within / before, 2),
        }
        print(row)
        rows.append(row)
    write_rows(RESULT, rows)


def _first_step(model: keras.Model, images: np.ndarray, labels: np.ndarray, built: bool) -> float:
    optimizer = keras.optimizers.Adam()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    start = time.perf_counter()
    model.compile(optimizer, loss, jit_compile=keras.backend.backend() == "jax")
    if built:
        optimizer.build(model.trainable_variables)
    model.train_on_batch(images, labels)
    return time.perf_counter() - start


if __name__ == "__main__":
    auto_cli(main)
