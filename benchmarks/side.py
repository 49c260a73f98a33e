"""What both sides of a comparison share: random images, a clock, memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_FEWEST = 3


class Side:
    """A network that trains and predicts when told to, in a process of its own.

    Args:
        spec: `model`, `encoder` (or None), `classes`, `precision`, `way`, and `size` and `batch`
            of the training images.
    """

    _step: Callable[[], object]
    _predict: Callable[[], object]

    def __init__(self, spec: dict[str, Any]):
        self.spec = spec

    def train(self, seconds: float) -> list[float]:
        """Take training steps for some time, at least three; return the seconds of each."""
        return self._repeated(self._step, seconds)

    def predict(self, seconds: float) -> list[float]:
        """Predict batches for some time, at least three; return the seconds of each."""
        return self._repeated(self._predict, seconds)

    def memory_mb(self) -> float:
        """Return the most memory that this process ever held."""
        lines = Path("/proc/self/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6

    def timed(self, run: Callable[[], object]) -> float:
        """Return the seconds that a call takes."""
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    def _repeated(self, run: Callable[[], object], seconds: float) -> list[float]:
        taken: list[float] = []
        while len(taken) < _FEWEST or sum(taken) < seconds:
            taken.append(self.timed(run))
        self.rest()
        return taken

    def rest(self) -> None:
        """Give back what others on the same device may need until the next turn."""


def random_batch(spec: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images `(N, H, W, 3)` and label maps `(N, H, W)`."""
    rng = np.random.default_rng(0)
    shape = (spec["batch"], spec["size"], spec["size"])
    labels = rng.integers(0, spec["classes"], shape, "uint8")
    return rng.integers(0, 256, (*shape, 3), "uint8"), labels
