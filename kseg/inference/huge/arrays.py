"""Images and label maps in memory, where a source or a sink is asked for."""

from __future__ import annotations

import numpy as np


class ArraySource:
    """An array `(H, W, channels)` in 0..255, uint8 or float32; it may be memory-mapped.

    The system counts the pages of a mapped file that were read as memory of the process, until it
    needs them for something else. `open_source` reads files without mapping them.
    """

    def __init__(self, image: np.ndarray):
        self._image = image

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self._image.shape
        return height, width, channels

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return some rows `(stop - start, W, channels)`."""
        return np.asarray(self._image[start:stop])


class ArraySink:
    """Keeps a label map.

    Attributes:
        labels: `(H, W)` uint8.
    """

    def __init__(self, height: int, width: int):
        self.labels = np.zeros((height, width), np.uint8)

    def write(self, start: int, labels: np.ndarray) -> None:
        """Keep some rows `(h, W)` from the row `start` on."""
        self.labels[start : start + len(labels)] = labels
