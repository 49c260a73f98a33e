"""What the five founding metrics add to a training step, for one backend (`KERAS_BACKEND`)."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jsonargparse import auto_cli  # noqa: E402
from result_files import read_rows, write_rows  # noqa: E402

RESULT = "metric_cost.csv"
SCORES = ("iou_score", "jaccard_score", "f1_score", "f2_score", "dice_score")


def main(
    model_name: str = "unet",
    size: int = 224,
    batch_size: int = 4,
    steps: int = 15,
    small_steps: int = 200,
) -> None:
    """Train without metrics, with one `SegmentationMetrics` and with five single metrics, in turn.

    A step varies more than the metrics cost, so they are also measured on a single convolution;
    their share is that difference over the model's step without metrics.

    Args:
        model_name: Registered name.
        size: Height and width of the input.
        batch_size: Images per step.
        steps: Steps of the model in each setting.
        small_steps: Steps of the single convolution in each setting.
    """
    import keras

    from kseg.models import get_model

    def convolution() -> keras.Model:
        layers = [keras.Input((size, size, 3)), keras.layers.Conv2D(2, 1, dtype="float32")]
        return keras.Sequential(layers)

    def model() -> keras.Model:
        return get_model(model_name, 2, image_init="divide")

    batch = random_batch(size, batch_size)
    small = median_seconds(convolution, batch, small_steps)
    whole = median_seconds(model, batch, steps)
    row: dict[str, Any] = {
        "backend": keras.backend.backend(),
        "model": model_name,
        "size": size,
        "batch_size": batch_size,
        "cpus": os.cpu_count(),
        "step_seconds": round(whole["none"], 3),
    }
    for setting in ("shared", "single"):
        cost = small[setting] - small["none"]
        row[f"{setting}_step_ratio"] = round(whole[setting] / whole["none"], 3)
        row[f"{setting}_milliseconds"] = round(1000 * cost, 2)
        row[f"{setting}_percent"] = round(100 * cost / whole["none"], 2)
    print(row)
    others = [old for old in read_rows(RESULT) if old["backend"] != row["backend"]]
    write_rows(RESULT, [*others, row])


def random_batch(size: int, batch_size: int) -> tuple[Any, Any]:
    """Return uint8 images and label maps of two classes."""
    import numpy as np

    rng = np.random.default_rng(0)
    shape = (batch_size, size, size)
    return rng.integers(0, 256, (*shape, 3), "uint8"), rng.integers(0, 2, shape, "uint8")


def median_seconds(build: Any, batch: tuple[Any, Any], steps: int) -> dict[str, float]:
    """Return the median step of models that differ in their metrics only, taken in turn."""
    from kseg.inference.jit import jit_choice
    from kseg.losses import get_loss
    from kseg.metrics import SegmentationMetrics, get_metric

    settings: dict[str, list[Any]] = {
        "none": [],
        "shared": [SegmentationMetrics(2, SCORES)],
        "single": [get_metric(name, 2) for name in SCORES],
    }
    models = {}
    for setting, metrics in settings.items():
        models[setting] = build()
        models[setting].compile("adam", get_loss("ce"), metrics=metrics, jit_compile=jit_choice())
        models[setting].train_on_batch(*batch)
    seconds: dict[str, list[float]] = {setting: [] for setting in settings}
    for _ in range(steps):
        for setting, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(*batch)
            seconds[setting].append(time.perf_counter() - start)
    return {setting: statistics.median(taken) for setting, taken in seconds.items()}


if __name__ == "__main__":
    auto_cli(main)
