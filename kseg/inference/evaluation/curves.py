"""Areas under the ROC and the precision-recall curve, counted in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kseg.inference.evaluation.measures import ScoredImage
from kseg.metrics.arrays import check_probabilities

# Log-odds of float32 probabilities: 16.7 of the largest one below 1, -104 of the smallest one.
_LARGEST, _SMALLEST = 17.0, -104.0
# A sure model gives the pixels of all other classes less than this, where bins may be wider.
_KNEE, _WIDER = -17.0, 10.0
_PER_UNIT = 512
_BINS = int(_PER_UNIT * (_LARGEST - _KNEE + (_KNEE - _SMALLEST) / _WIDER)) + 1


class CurveMeasure:
    """Measure how well the probability of each class tells its pixels from all others.

    The areas are those of `auc_in_mask` and `average_precision_in_mask` over all pixels of the
    data set, but scores are counted in bins of their log-odds instead of sorted, so that memory
    does not grow; pixels of one bin, whose odds differ by less than 0.3 %, or 3 % where they are
    below 4e-8, count as ties.

    Args:
        class_names: Names of the classes.
        ignore_class: Label of void pixels, or None.
    """

    name = "auc"

    def __init__(self, class_names: Sequence[str], ignore_class: int | None):
        self._names = class_names
        self._ignore_class = ignore_class
        self._counts = np.zeros((len(class_names), 2, _BINS), np.int64)

    def measure(self, image: ScoredImage) -> np.ndarray:
        """Return how many pixels of other classes and of each class have scores in each bin."""
        if image.probabilities is None:
            raise ValueError("areas under curves need probabilities, not label maps")
        valid = np.ones(image.truth.shape, bool)
        if self._ignore_class is not None:
            valid = image.truth != self._ignore_class
        truth, scores = image.truth[valid], image.probabilities[valid]
        check_probabilities("probabilities", scores)
        bins = _bins_of(scores)
        counts = np.empty_like(self._counts)
        for label in range(len(self._names)):
            cells = bins[:, label] + _BINS * (truth == label)
            counts[label] = np.bincount(cells, minlength=2 * _BINS).reshape(2, _BINS)
        return counts

    def add(self, measured: np.ndarray) -> None:
        """Add the counts of one image."""
        self._counts += measured

    def result(self) -> dict[str, Any] | None:
        """Return the areas of each class, and their means over the classes that have one."""
        rows: list[dict[str, Any]] = [
            {"name": name, "auc": area_under_roc(*counts), "average_precision": precision(*counts)}
            for name, counts in zip(self._names, self._counts, strict=True)
        ]
        means = {}
        for key in ("auc", "average_precision"):
            values = [row[key] for row in rows if row[key] is not None]
            if not values:
                return None
            means[key] = sum(values) / len(values)
        return {"means": means, "classes": rows}


def _bins_of(probabilities: np.ndarray) -> np.ndarray:
    shares = np.clip(probabilities, 0, 1)  # rounding may have left 0 to 1
    with np.errstate(divide="ignore"):  # 0 and 1 have infinite odds
        odds = np.log(shares) - np.log1p(-shares)
    odds = np.clip(odds, _SMALLEST, _LARGEST) - _KNEE
    places = np.where(odds < 0, odds / _WIDER, odds) + (_KNEE - _SMALLEST) / _WIDER
    return (places * _PER_UNIT).astype(np.int64)


def area_under_roc(others: np.ndarray, pixels: np.ndarray) -> float | None:
    """Return the share of pairs in which the pixel of the class has the higher score.

    Args:
        others: Pixels of other classes in each bin of ascending scores.
        pixels: Pixels of the class in each bin.
    """
    if not others.sum() or not pixels.sum():
        return None
    below = np.cumsum(others) - others / 2
    return float(pixels @ below / pixels.sum() / others.sum())


def precision(others: np.ndarray, pixels: np.ndarray) -> float | None:
    """Return the mean precision over the pixels of the class, from high scores to low ones."""
    if not others.sum() or not pixels.sum():
        return None
    found, wrong = (np.cumsum(part[::-1]) for part in (pixels, others))
    shares = found / np.maximum(found + wrong, 1)
    return float(pixels[::-1] @ shares / pixels.sum())
