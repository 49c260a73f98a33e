"""How the values of a label map lie: in areas, or on the edges between areas."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kseg.data.label_counts import count_values

# Types that OpenCV's morphology takes; others become float64, which holds them exactly.
_TYPES = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


@dataclass(frozen=True)
class ValueStats:
    """The values of a label map.

    Attributes:
        values: Ascending, `(K,)`.
        pixels: Pixels of each, int64 `(K,)`.
        solid: Those of them in the middle of 3x3 equal pixels.
        between: Those of them above one of the eight neighbours and below another one: what
            smoothing leaves on edges.
    """

    values: np.ndarray
    pixels: np.ndarray
    solid: np.ndarray
    between: np.ndarray

    def share(self, chosen: np.ndarray) -> float:
        """Return the share of the pixels that have one of the chosen values, bool `(K,)`."""
        return float(self.pixels[chosen].sum() / max(self.pixels.sum(), 1))


def value_stats(labels: np.ndarray) -> ValueStats:
    """Return the statistics of a label map `(H, W)`."""
    values, pixels = count_values(labels)
    low, high = local_range(labels)
    inner = low == high
    between = (low < labels) & (labels < high)
    solid, rim = (_count(labels[chosen], values) for chosen in (inner, between))
    return ValueStats(values, pixels, solid, rim)


def local_range(labels: np.ndarray, size: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value around each pixel of a label map."""
    array = labels if labels.dtype in _TYPES else labels.astype(np.float64)
    window = np.ones((size, size), np.uint8)
    return cv2.erode(array, window), cv2.dilate(array, window)


def _count(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    found, pixels = count_values(labels)
    counts = np.zeros(len(values), np.int64)
    counts[np.searchsorted(values, found)] = pixels
    return counts
