"""How far the probabilities of a model can be trusted."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from kseg.inference.evaluation.exact import OrderlessSum
from kseg.inference.evaluation.measures import ScoredImage
from kseg.metrics import CalibrationBins


class _Bins(CalibrationBins):
    """Bins whose counts can be taken out and put in."""

    @property
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels, right ones and summed confidence of each bin."""
        return self._counts, self._hits, self._confidences

    @counts.setter
    def counts(self, values: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        self._counts, self._hits, self._confidences = values


class CalibrationMeasure:
    """Count all pixels into bins of confidence, see `CalibrationBins`.

    Args:
        ignore_class: Label of void pixels, or None.
    """

    name = "calibration"

    def __init__(self, ignore_class: int | None):
        self._ignore_class = ignore_class
        self._counts, self._hits, confidences = _Bins().counts
        self._confidences = OrderlessSum(confidences.shape)

    def measure(self, image: ScoredImage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the counts of one image."""
        bins = _Bins(ignore_class=self._ignore_class)
        bins.update(image.truth, image.probabilities)
        return bins.counts

    def add(self, measured: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """Add the counts of one image."""
        counts, hits, confidences = measured
        self._counts, self._hits = self._counts + counts, self._hits + hits
        self._confidences.add(confidences)

    def result(self) -> dict[str, Any] | None:
        """Return the errors and a row per bin."""
        bins = _Bins()
        bins.counts = self._counts, self._hits, self._confidences.value()
        if math.isnan(bins.ece):
            return None
        rows = [asdict(one) for one in bins.table()]
        for row in rows:
            row |= {key: None for key, value in row.items() if math.isnan(value)}
        return {"ece": bins.ece, "mce": bins.mce, "bins": rows}
