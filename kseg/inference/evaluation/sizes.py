"""Errors by the size of the objects: are small ones missed, and small ones invented?"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from kseg.inference.evaluation.measures import ScoredImage

# Upper ends of the bins in pixels, outside the bins; the last bin has none.
SIDES = (8, 16, 32, 64, 128, 256)
_ENDS = np.array([side * side for side in SIDES])
_COLUMNS = ("objects", "pixels", "pixels_found", "found", "missed", "predicted", "invented")


class SizeMeasure:
    """Count how much of the objects of each size is found.

    An object is a connected area (8 neighbours) of one class; class 0 counts as background and has
    none. It is found if at least half of its pixels have the right class, and missed if none has.
    A predicted object of which no pixel is right is invented.

    Args:
        ignore_class: Label of void pixels, which belong to no object, or None.
    """

    name = "sizes"

    def __init__(self, ignore_class: int | None):
        self._ignore_class = ignore_class
        self._table = np.zeros((len(_ENDS) + 1, len(_COLUMNS)), np.int64)

    def measure(self, image: ScoredImage) -> np.ndarray:
        """Return the counts of one image, int64 `(bins, columns)`."""
        truth, predicted = image.truth, image.predicted
        right = truth == predicted
        if self._ignore_class is None:
            counted = predicted
        else:
            counted = np.where(truth == self._ignore_class, 0, predicted)
            truth = np.where(truth == self._ignore_class, 0, truth)
        sizes, hits = _objects(truth, right)
        predicted_sizes, predicted_hits = _objects(counted, right)
        columns = [
            _binned(sizes),
            _binned(sizes, sizes),
            _binned(sizes, hits),
            _binned(sizes, 2 * hits >= sizes),
            _binned(sizes, hits == 0),
            _binned(predicted_sizes),
            _binned(predicted_sizes, predicted_hits == 0),
        ]
        return np.stack(columns, axis=1).astype(np.int64)

    def add(self, measured: np.ndarray) -> None:
        """Add the counts of one image."""
        self._table += measured

    def result(self) -> list[dict[str, Any]] | None:
        """Return a row per size, None where there is no object at all."""
        if not self._table.any():
            return None
        starts, ends = (0, *_ENDS.tolist()), (*_ENDS.tolist(), None)
        return [
            {"from_pixels": start, "to_pixels": end, **dict(zip(_COLUMNS, row, strict=True))}
            for start, end, row in zip(starts, ends, self._table.tolist(), strict=True)
        ]


def _objects(labels: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of each object, and how many of them are right."""
    tables = [np.zeros((0, 2), np.int64)]
    for label in np.flatnonzero(np.bincount(labels.ravel(), minlength=1)[1:]) + 1:
        mask = labels == label
        box = tuple(_span(mask.any(axis)) for axis in (1, 0))
        mask, inner = mask[box], right[box]
        count, areas = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        # One count of wrong and right pixels of each object, over the pixels of the class alone.
        cells = 2 * areas[mask] + inner[mask]
        tables.append(np.bincount(cells, minlength=2 * count).reshape(-1, 2)[1:])
    wrong, hits = np.concatenate(tables).T
    return wrong + hits, hits


def _span(used: np.ndarray) -> slice:
    places = np.flatnonzero(used)
    return slice(places[0], places[-1] + 1)


def _binned(sizes: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    bins = np.searchsorted(_ENDS, sizes, side="right")
    return np.bincount(bins, weights, minlength=len(_ENDS) + 1)
