"""How fast a model is on one image, measured as the founding projects do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from kseg.inference.predictor import Predictor


@dataclass(frozen=True)
class Speed:
    """Times from a decoded image to its label map.

    Attributes:
        seconds: Time of each repeat with one image.
        batch_size: Images of a batch.
        batch_seconds: Time of each repeat with a batch.
    """

    seconds: np.ndarray
    batch_size: int
    batch_seconds: np.ndarray

    @property
    def images_per_second(self) -> float:
        """Images per second in batches, by the mean time."""
        return self.batch_size / float(self.batch_seconds.mean())

    def lines(self) -> list[str]:
        """Return what was measured as text."""
        mean, (middle, late) = self.seconds.mean(), np.percentile(self.seconds, (50, 95))
        return [
            f"{mean:.6f} seconds per image, {1 / mean:.2f} FPS at batch size 1 "
            f"(mean of {len(self.seconds)})",
            f"p50 {middle * 1000:.2f} ms, p95 {late * 1000:.2f} ms",
            f"{self.images_per_second:.2f} images/s at batch size {self.batch_size}",
        ]


def measure_speed(predictor: Predictor, image: np.ndarray, repeats: int, batch_size: int) -> Speed:
    """Segment an image again and again: resizing, network, resizing back, best class.

    Reading and writing of files is not measured, nor is a first run of each batch size, in which
    backends compile.

    Args:
        predictor: The model.
        image: `(H, W, channels)`.
        repeats: Runs with one image; batches are run until they have as many images together.
        batch_size: Images of a batch.
    """
    batch = [image] * batch_size
    return Speed(
        _times(lambda: predictor.predict([image]), repeats),
        batch_size,
        _times(lambda: predictor.predict(batch), -(-repeats // batch_size)),
    )


def _times(run: Callable[[], object], repeats: int) -> np.ndarray:
    run()
    seconds = np.empty(repeats)
    for index in range(repeats):
        start = perf_counter()
        run()
        seconds[index] = perf_counter() - start
    return seconds
