"""What one image costs until its labels are there, by Keras alone and by the Keras engine."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from result_files import read_rows, write_rows  # noqa: E402

RESULT = "engine_speed.csv"
KEY = ("backend", "model", "size", "batch_size")


def main(model_name: str = "unet", size: int = 256, batch_size: int = 1, repeats: int = 15) -> None:
    """Time `predict` and `predict_on_batch` of Keras, each with argmax, and the engine, in turn.

    Args:
        model_name: Registered name, built for two classes.
        size: Height and width of the images.
        batch_size: Images per call.
        repeats: Calls of each.
    """
    import keras

    rows = read_rows(RESULT)
    common = {
        "backend": keras.backend.backend(),
        "model": model_name,
        "size": size,
        "batch_size": batch_size,
        "cpus": len(os.sched_getaffinity(0)),
    }
    same = [str(common[name]) for name in KEY]
    rows = [row for row in rows if [row[name] for name in KEY] != same]
    measured = measure(ways_of(model_name, size, batch_size), repeats)
    slowest = next(iter(measured.values()))
    for way, (seconds, busy) in measured.items():
        row = {
            **common,
            "way": way,
            "milliseconds": round(1000 * seconds / batch_size, 1),
            "cpu_milliseconds": round(1000 * busy / batch_size, 1),
            "times_as_fast": round(slowest[0] / seconds, 2),
            "times_as_little_cpu": round(slowest[1] / busy, 2),
        }
        print(row, flush=True)
        rows.append(row)
    write_rows(RESULT, rows)


def ways_of(model_name: str, size: int, batch_size: int) -> dict[str, Callable[[], Any]]:
    """Return functions from nothing to the labels of the same images."""
    from kseg.inference import ModelInfo
    from kseg.inference.engines import KerasEngine
    from kseg.inference.jit import jit_choice
    from kseg.models import get_model

    model = get_model(model_name, 2, image_init="divide")
    model.compile(jit_compile=jit_choice())
    info = ModelInfo(model_name, ("background", "part"), None, size, size, 1, "divide")
    engine = KerasEngine(model, info)
    images = np.random.default_rng(0).integers(0, 256, (batch_size, size, size, 3), "uint8")
    return {
        "predict": lambda: model.predict(images, verbose=0).argmax(-1).astype(np.uint8),
        "predict_on_batch": lambda: model.predict_on_batch(images).argmax(-1).astype(np.uint8),
        "engine probabilities": lambda: engine.probabilities(images),
        "engine labels": lambda: engine.labels(images),
    }


def measure(ways: dict[str, Callable[[], Any]], repeats: int) -> dict[str, tuple[float, float]]:
    """Return the median seconds, and seconds of processor time, of functions taken in turn."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(2):
        for function in ways.values():
            function()
    for _ in range(repeats):
        for name, function in ways.items():
            before = time.perf_counter(), time.process_time()
            function()
            after = time.perf_counter(), time.process_time()
            times[name].append((after[0] - before[0], after[1] - before[1]))
    return {
        name: tuple(statistics.median(column) for column in zip(*values, strict=True))
        for name, values in times.items()
    }


if __name__ == "__main__":
    auto_cli(main)
