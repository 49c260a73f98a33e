"""Back from smoothed or lossy label maps to labels, where that can be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kseg.data.checks.label_values import Classes
from kseg.data.checks.values import ValueStats, local_range

# JPEG moves the value of an area by up to this; labels that lie closer cannot be told apart.
_LOSS = 3
_WHITE_LOSS = 8
_MIDDLE = 127
_SMALL_AREA, _LARGE_AREA = 0.01, 0.05
_MOSTLY_ON_EDGES = 0.8
# The middle tenth between two labels says nothing about which it was.
_AMBIGUOUS = 0.1
_WINDOW = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class Snapped:
    """Values of targets alone.

    Attributes:
        values: `(H, W)`.
        changed: How many pixels have another value than before.
        unclear: Pixels in the middle between two targets, bool `(H, W)`.
    """

    values: np.ndarray
    changed: int
    unclear: np.ndarray


def snap(values: np.ndarray, targets: np.ndarray) -> Snapped:
    """Give every pixel the nearest of the target values that occur around it.

    Pixels with a target value keep it, unless they lie between a lower and a higher neighbour and
    touch no area of their own value: smoothing passes over labels in between, too.

    Args:
        values: What the file holds, `(H, W)`.
        targets: Values that are labels, ascending.
    """
    certain = _certain(values, targets)
    nearest, second, choice = _two_nearest(values, targets, certain)
    margin = np.where(np.isfinite(second), second, 0) - nearest
    unclear = ~certain & np.isfinite(second) & (margin <= _AMBIGUOUS * (second + nearest))
    chosen = np.where(certain, values, targets[choice])
    return Snapped(chosen, int((chosen != values).sum()), unclear)


def _certain(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    low, high = local_range(values)
    inside = ((low == high) & np.isin(values, targets)).astype(np.uint8)
    beside_own = np.zeros(values.shape, bool)
    for target in targets:
        own = values == target
        beside_own |= own & (cv2.dilate(inside * own, np.ones((3, 3), np.uint8)) > 0)
    between = (low < values) & (values < high)
    return np.isin(values, targets) & (beside_own | ~between)


def _two_nearest(
    values: np.ndarray, targets: np.ndarray, certain: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distances to the two nearest targets around each pixel, and the nearer's index."""
    distances = np.abs(values[None].astype(np.float64) - targets[:, None, None])
    around = np.stack(
        [cv2.dilate((certain & (values == t)).astype(np.uint8), _WINDOW) > 0 for t in targets]
    )
    around |= ~around.any(axis=0)  # far from all of them every target may be meant
    distances[~around] = np.inf
    ordered = np.sort(distances, axis=0)
    second = ordered[1] if len(targets) > 1 else np.full(values.shape, np.inf)
    # One target alone around a pixel leaves no doubt.
    return ordered[0], second, distances.argmin(axis=0)


def lossy_targets(stats: ValueStats, classes: Classes) -> np.ndarray | None:
    """Return the values that a lossy label map held before, or None where they are lost.

    They are 0 and 255, or else the values of its areas, with others nearby taken for their noise.
    Labels as close as 0 and 1 cannot be told from noise.
    """
    peaks = _peaks(stats)
    if peaks is None:
        return None
    highest = int(stats.values.max())
    white = np.where(peaks > _MIDDLE, 255, 0)
    if (np.abs(peaks - white) <= _WHITE_LOSS).all() and (highest > _MIDDLE or highest == 0):
        return np.array([0, 255])
    return peaks if _explain_all(stats, peaks) and classes.allows(peaks).all() else None


def _peaks(stats: ValueStats) -> np.ndarray | None:
    """Return the values of areas, or None where two areas differ as little as noise does."""
    peaks: list[int] = []
    left = stats.solid > _SMALL_AREA * stats.solid.sum()
    while left.any():
        best = int(np.flatnonzero(left)[stats.solid[left].argmax()])
        near = _near(stats, [int(stats.values[best])])
        if stats.solid[near].sum() > (1 + _LARGE_AREA) * stats.solid[best]:
            return None
        peaks.append(int(stats.values[best]))
        left &= ~near
    return np.array(sorted(peaks)) if peaks else None


def _near(stats: ValueStats, peaks: Sequence[int] | np.ndarray) -> np.ndarray:
    distances = np.abs(stats.values[:, None].astype(np.int64) - np.asarray(peaks))
    return distances.min(axis=1) <= 2 * _LOSS


def _explain_all(stats: ValueStats, peaks: np.ndarray) -> bool:
    """Tell whether what is no noise of an area lies on edges: else it is a small area's label."""
    far = ~_near(stats, peaks)
    return stats.between[far].sum() >= _MOSTLY_ON_EDGES * stats.pixels[far].sum()
