"""Seconds of a training step with and without compilation, for one backend (`KERAS_BACKEND`)."""

from __future__ import annotations

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jsonargparse import auto_cli  # noqa: E402
from result_files import read_rows, write_rows  # noqa: E402

RESULT = "training_step.csv"


def main(model_name: str = "unet", size: int = 112, batch_size: int = 4, steps: int = 12) -> None:
    """Take both settings in turn and keep their medians as the backend's row.

    Args:
        model_name: Registered name.
        size: Height and width of the input.
        batch_size: Images per step.
        steps: Steps of each setting.
    """
    import keras
    import numpy as np

    from kseg.losses import get_loss
    from kseg.models import get_model

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch_size, size, size, 3)).astype("uint8")
    labels = rng.integers(0, 2, (batch_size, size, size)).astype("uint8")
    models = {}
    for jit in (False, True):
        models[jit] = get_model(model_name, 2, image_init="divide")
        models[jit].compile("adam", get_loss("ce"), jit_compile=jit)
        models[jit].train_on_batch(images, labels)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(steps):
        for jit, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(images, labels)
            seconds[jit].append(time.perf_counter() - start)
    plain, xla = (statistics.median(seconds[jit]) for jit in (False, True))
    row = {
        "backend": keras.backend.backend(),
        "model": model_name,
        "size": size,
        "batch_size": batch_size,
        "cpus": os.cpu_count(),
        "plain_seconds": round(plain, 3),
        "xla_seconds": round(xla, 3),
        "xla_over_plain": round(xla / plain, 2),
    }
    print(row)
    others = [old for old in read_rows(RESULT) if old["backend"] != row["backend"]]
    write_rows(RESULT, [*others, row])


if __name__ == "__main__":
    auto_cli(main)
