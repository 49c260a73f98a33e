"""How long a model takes for a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from kseg.inference.engines import Engine

_WARM_UP = 3


@dataclass(frozen=True)
class Latency:
    """Times of one model for a batch of images in memory, from bytes to probabilities.

    Attributes:
        batch_size: Images of the batch.
        p50: Half of the runs took at most so many milliseconds.
        p95: Of 20 runs 19 took at most so many.
        images_per_second: By the median.
    """

    batch_size: int
    p50: float
    p95: float
    images_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON."""
        return asdict(self)


def measure(engine: Engine, batch: np.ndarray, repeats: int) -> Latency:
    """Run a batch again and again.

    Args:
        engine: The model.
        batch: Images of 0..255 `(N, H, W, C)`.
        repeats: Runs that count, at least 1; a few before them do not.
    """
    for _ in range(_WARM_UP):
        engine.probabilities(batch)
    seconds = np.empty(repeats)
    for index in range(repeats):
        start = perf_counter()
        engine.probabilities(batch)
        seconds[index] = perf_counter() - start
    middle, late = np.percentile(seconds, (50, 95)).tolist()
    return Latency(len(batch), middle * 1e3, late * 1e3, len(batch) / middle)
