"""What every way of running a model offers, and what they share."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from kseg.inference.model_file import ModelInfo

SMALLEST_SIZE = 32
Run = Callable[[np.ndarray], np.ndarray]


class Engine(Protocol):
    """A model on some runtime, from images of its input size to scores or labels of that size.

    An engine is used by one thread at a time.

    Attributes:
        info: Classes, input size and resize mode.
        channels: Channels of the images.
        size: Height and width the graph is fixed to; None for any from 32x32.
        batch_size: Batch the graph is fixed to; None for any. The methods take any number of
            images all the same: they fill up the last batch and drop what that gives.
    """

    info: ModelInfo
    channels: int
    size: tuple[int, int] | None
    batch_size: int | None

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float32 `(N, H, W, C)`, C at least 2.

        Args:
            batch: Images `(N, H, W, channels)` in 0..255, uint8 or float32.

        Raises:
            ValueError: The batch has another size or other channels than the model takes.
        """

    def labels(self, batch: np.ndarray) -> np.ndarray:
        """Return the most probable class of each pixel, uint8 `(N, H, W)`; see `probabilities`."""


def check_batch(engine: Engine, batch: np.ndarray, name: object) -> None:
    """Refuse a batch that an engine cannot run.

    Args:
        engine: The engine.
        batch: What should be images `(N, H, W, channels)`.
        name: File of the model, for the message.

    Raises:
        ValueError: It has other axes, other channels or another size.
    """
    if batch.ndim != 4 or batch.shape[-1] != engine.channels:
        raise ValueError(
            f"{name}: the model takes images (N, height, width, {engine.channels}), got an array "
            f"of the shape {batch.shape}"
        )
    height, width = batch.shape[1:3]
    if engine.size is not None and (height, width) != tuple(engine.size):
        raise ValueError(
            f"{name}: the model is fixed to images of {engine.size[1]}x{engine.size[0]} pixels "
            f"(width x height), got {width}x{height}"
        )


def check_classes(scores: int, info: ModelInfo, name: object) -> None:
    """Refuse a model with another number of scores per pixel than it has class names.

    Raises:
        ValueError: So it is; a single score is fine for two classes.
    """
    classes = len(info.class_names)
    if scores != classes and (scores, classes) != (1, 2):
        raise ValueError(
            f"{name}: the model gives {scores} scores per pixel, but {classes} classes are named "
            f"with it ({', '.join(info.class_names)}); model and description do not belong together"
        )


def runtime(module: str, package: str, path: Path) -> ModuleType:
    """Import what runs a file.

    Args:
        module: Name to import.
        package: What to install where it is missing.
        path: The file, for the message.

    Raises:
        ValueError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{path}: the package {package} is needed to run this file ({error}); "
            f"pip install {package}"
        ) from None


@contextmanager
def told_plainly(path: Path, program: str) -> Iterator[None]:
    """Turn whatever a runtime raises into one sentence; those of `ValueError` by kseg stay.

    Raises:
        ValueError: Something was raised.
    """
    try:
        yield
    except Exception as error:  # each runtime has exceptions of its own
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        raise ValueError(f"{path}: {program} cannot run this file ({reason[:300]})") from None


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_batches(run: Run, batch: np.ndarray, size: int | None) -> np.ndarray:
    """Run any number of images on a model that may be fixed to a batch.

    Args:
        run: From images to an array with as many entries.
        batch: Images `(N, ...)`, at least one.
        size: The batch that the model is fixed to; the last one is filled up with its last image,
            and what that gives is dropped. None for all images at once.
    """
    if size is None or len(batch) == size:
        return run(batch)
    results = []
    for first in range(0, len(batch), size):
        part = batch[first : first + size]
        missing = size - len(part)
        results.append(run(np.concatenate([part, *[part[-1:]] * missing])))
    return np.concatenate(results)[: len(batch)]
