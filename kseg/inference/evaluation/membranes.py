"""V_rand and V_info of the cells between membranes, as means over the images."""

from __future__ import annotations

from typing import Any

import numpy as np

from kseg.inference.evaluation.exact import OrderlessSum
from kseg.inference.evaluation.measures import ScoredImage
from kseg.metrics import membrane_instances, thin_borders, v_info, v_rand

_THRESHOLDS = tuple(step / 10 for step in range(1, 11))
_PARTS = ("f_score", "split", "merge")
_SCORES = {"v_rand": v_rand, "v_info": v_info}


class MembraneMeasure:
    """Score the cells that membranes separate, see `kseg.metrics.membrane`.

    With probabilities the threshold with the highest mean V_rand counts, as in the challenge ISBI
    2012; it is the same for all images. Images without a true cell say nothing and are left out.

    Args:
        membrane_class: Label of the membranes.
        ignore_class: Label of void pixels, which belong to no cell, or None.
    """

    name = "v_rand"

    def __init__(self, membrane_class: int, ignore_class: int | None = None):
        self._class = membrane_class
        self._ignore_class = ignore_class
        self._sums: OrderlessSum | None = None
        self._images = 0

    def measure(self, image: ScoredImage) -> np.ndarray | None:
        """Return the scores of the label map and at each threshold `(maps, 2, 3)`."""
        membrane = image.truth == self._class
        if self._ignore_class is not None:
            membrane |= image.truth == self._ignore_class
        truth = membrane_instances(membrane)
        if not truth.any():
            return None
        maps = [membrane_instances(image.predicted == self._class)]
        if image.probabilities is not None:
            scores = image.probabilities[..., self._class]
            maps += [membrane_instances(scores, threshold) for threshold in _THRESHOLDS]
        return np.array([_scores(truth, cells) for cells in maps])

    def add(self, measured: np.ndarray | None) -> None:
        """Add the scores of one image."""
        if measured is not None:
            self._sums = self._sums or OrderlessSum(measured.shape)
            self._sums.add(measured)
            self._images += 1

    def result(self) -> dict[str, Any] | None:
        """Return the scores of the label maps, and those at the best threshold."""
        if self._sums is None:
            return None
        labels, *at_thresholds = self._sums.value() / self._images
        result: dict[str, Any] = {"images": self._images, "labels": _named(labels)}
        if at_thresholds:
            best = int(np.argmax([scores[0, 0] for scores in at_thresholds]))
            best_scores = _named(at_thresholds[best])
            result["best_threshold"] = {"threshold": _THRESHOLDS[best], **best_scores}
        return result


def _scores(truth: np.ndarray, cells: np.ndarray) -> list[list[float]]:
    thinned = thin_borders(cells)
    found = (score(truth, thinned, thin=False) for score in _SCORES.values())
    return [[getattr(one, part) for part in _PARTS] for one in found]


def _named(scores: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        name: dict(zip(_PARTS, row, strict=True))
        for name, row in zip(_SCORES, scores.tolist(), strict=True)
    }
