"""Seconds until the first training step is done, by how the optimizer comes into it.

`kseg train` makes its variables before and updates each weight by one kernel of TensorFlow. Keras
by itself makes them within the step, which TensorFlow then traces twice, with a dozen operations
per update. The models are compiled anew for each measurement, one way after the other.
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

from kseg.kernels import use_own_update  # noqa: E402
from kseg.models import get_model  # noqa: E402

RESULT = "first_step.csv"
WAYS = ("own_update", "built_before", "built_within")


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
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                taken[way].append(_first_step(model, images, labels, way))
        seconds = {way: statistics.median(times) for way, times in taken.items()}
        row = {
            "model": name,
            "backend": keras.backend.backend(),
            **{f"{way}_seconds": round(value, 2) for way, value in seconds.items()},
            "ratio": round(seconds["built_within"] / seconds["own_update"], 2),
        }
        print(row)
        rows.append(row)
    write_rows(RESULT, rows)


def _first_step(model: keras.Model, images: np.ndarray, labels: np.ndarray, way: str) -> float:
    optimizer = keras.optimizers.Adam()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    start = time.perf_counter()
    jit = keras.backend.backend() == "jax"
    model.compile(optimizer, loss, jit_compile=jit)
    if way != "built_within":
        optimizer.build(model.trainable_variables)
    if way == "own_update":
        use_own_update(optimizer, jit)
    model.train_on_batch(images, labels)
    return time.perf_counter() - start


if __name__ == "__main__":
    auto_cli(main)
