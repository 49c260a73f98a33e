"""Means of the surface scores over the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kseg.inference.evaluation.exact import OrderlessSum
from kseg.inference.evaluation.measures import ScoredImage
from kseg.metrics import surface_report

_DISTANCES = ("hausdorff", "hausdorff_95", "average_distance")
_SHARES = ("surface_dice", "boundary_iou")
_SCORES = (*_DISTANCES, *_SHARES)


class BoundaryMeasure:
    """Average the surface scores of each class over the images that show it.

    Distances are means over the images where truth and prediction have the class, since they are
    infinite elsewhere; how many images have it in only one of the two is told. Shares are means
    over the images where one of the two has it. A class that the truth of no image has has no
    scores.

    Args:
        class_names: Names of the classes.
        ignore_class: Label of void pixels, or None.
        tolerance: Distance in pixels that counts as right in the surface Dice.
    """

    name = "boundary"

    def __init__(self, class_names: Sequence[str], ignore_class: int | None, tolerance: float):
        self._names = class_names
        self._options = {"tolerance": tolerance, "ignore_class": ignore_class}
        self._sums = OrderlessSum((len(class_names), len(_SCORES)))
        self._images = np.zeros((len(class_names), len(_SCORES)), np.int64)
        self._one_sided = np.zeros(len(class_names), np.int64)
        self._in_truth = np.zeros(len(class_names), bool)

    def measure(self, image: ScoredImage) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of one image and where its truth has the class.

        The scores are `(C, 5)`, NaN where neither map has the class.
        """
        report = surface_report(image.truth, image.predicted, len(self._names), **self._options)
        scores = np.full(self._images.shape, np.nan)
        in_truth = np.zeros(len(self._names), bool)
        for label, one in report.classes.items():
            in_truth[label] = one.support > 0
            if one.support or one.predicted:
                scores[label] = [getattr(one, name) for name in _SCORES]
        return scores, in_truth

    def add(self, measured: tuple[np.ndarray, np.ndarray]) -> None:
        """Add the scores of one image."""
        scores, in_truth = measured
        finite = np.isfinite(scores)
        self._sums.add(np.where(finite, scores, 0))
        self._images += finite
        self._one_sided += np.isinf(scores[:, 0])
        self._in_truth |= in_truth

    def result(self) -> dict[str, Any] | None:
        """Return the means of each class, and the means of those over the classes."""
        if not self._images.any():
            return None
        with np.errstate(invalid="ignore"):
            means = self._sums.value() / self._images  # NaN where there is no image
        means[~self._in_truth] = np.nan
        rows = [
            {
                "name": name,
                **{key: _plain(value) for key, value in zip(_SCORES, row, strict=True)},
                "images": int(images[-1]),
                "one_sided": int(one_sided),
            }
            for name, row, images, one_sided in zip(
                self._names, means, self._images, self._one_sided, strict=True
            )
        ]
        seen = [column[~np.isnan(column)] for column in means.T]
        over_classes = {
            key: float(values.mean()) if values.size else None
            for key, values in zip(_SCORES, seen, strict=True)
        }
        return {"tolerance": self._options["tolerance"], "means": over_classes, "classes": rows}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
