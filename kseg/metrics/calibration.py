"""Calibration: does a pixel that is predicted with 80 % confidence come out right in 80 %?"""

import math
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from kseg.metrics.arrays import check_probabilities
from kseg.metrics.confusion import check_labels


@dataclass(frozen=True)
class CalibrationBin:
    """The pixels whose confidence lies in one interval.

    Attributes:
        lower: Lower end, outside the interval (inside for the first one).
        upper: Upper end, inside the interval.
        count: Number of pixels.
        accuracy: Share of them whose predicted class is right, NaN without pixels.
        confidence: Their mean confidence, NaN without pixels.
    """

    lower: float
    upper: float
    count: int
    accuracy: float
    confidence: float


class CalibrationBins:
    """Count a data set, batch by batch, into bins of confidence.

    Confidence is the largest probability of a pixel, and the class that has it is the predicted
    one (Guo et al., 2017, arXiv:1706.04599). A sigmoid channel `p` counts as the two classes
    `1 - p` and `p`, so its confidence is at least 0.5; torchmetrics' binary version bins `p`
    itself. The bins are `(i / n, (i + 1) / n]`; counts are exact, sums are float64, so the split
    into batches does not matter.

    Args:
        num_bins: Number of bins of equal width over 0 to 1; the paper takes 15.
        ignore_class: The true label of void pixels, any integer, or None.

    Raises:
        ValueError: If `num_bins` is not a whole number from 1 on.
    """

    def __init__(self, num_bins=15, *, ignore_class=None):
        if not isinstance(num_bins, Integral) or num_bins < 1:
            raise ValueError(f"num_bins must be a whole number from 1 on, got {num_bins!r}.")
        self.num_bins = int(num_bins)
        self.ignore_class = ignore_class
        self._counts = np.zeros(self.num_bins, np.int64)
        self._hits = np.zeros(self.num_bins, np.int64)
        self._confidences = np.zeros(self.num_bins, np.float64)

    def update(self, truth, probabilities):
        """Count a batch.

        Args:
            truth: Integer labels `(N, H, W)` or `(N, H, W, 1)`, or of any other leading shape.
            probabilities: Floats `(N, H, W, C)`, each pixel's sum 1; or `C = 1` for a sigmoid
                channel, the probability of class 1. At void pixels they are free.

        Raises:
            ValueError: If the shapes do not fit, a label is no class, or the values are no
                probabilities.
        """
        truth, rows = _paired(np.asarray(truth), np.asarray(probabilities))
        check_labels("truth", truth, max(rows.shape[-1], 2), self.ignore_class)
        if self.ignore_class is not None:
            valid = truth != self.ignore_class
            truth, rows = truth[valid], rows[valid]
        _check_rows(rows)
        confidence, predicted = _top(rows)
        edges = np.linspace(0, 1, self.num_bins + 1)
        bins = np.digitize(confidence, edges[1:-1], right=True)
        self._counts += np.bincount(bins, minlength=self.num_bins)
        self._hits += np.bincount(bins[predicted == truth], minlength=self.num_bins)
        self._confidences += np.bincount(bins, confidence, minlength=self.num_bins)

    @property
    def ece(self):
        """Expected calibration error, 0 to 1: the mean of |accuracy - confidence| over pixels.

        NaN before the first pixel.
        """
        total = self._counts.sum()
        return float(self._gaps().sum() / total) if total else math.nan

    @property
    def mce(self):
        """Maximum calibration error, 0 to 1: the largest |accuracy - confidence| of a bin.

        NaN before the first pixel.
        """
        seen = self._counts > 0
        return float(np.max(self._gaps()[seen] / self._counts[seen])) if seen.any() else math.nan

    def table(self):
        """Return one `CalibrationBin` per bin, the data of a reliability diagram."""
        edges = np.linspace(0, 1, self.num_bins + 1).tolist()
        with np.errstate(invalid="ignore"):
            accuracy = (self._hits / self._counts).tolist()
            confidence = (self._confidences / self._counts).tolist()
        columns = (edges[:-1], edges[1:], self._counts.tolist(), accuracy, confidence)
        return [CalibrationBin(*row) for row in zip(*columns, strict=True)]

    def _gaps(self):
        """Return |accuracy - confidence| times the number of pixels, per bin."""
        return np.abs(self._hits - self._confidences)


def expected_calibration_error(truth, probabilities, *, num_bins=15, ignore_class=None):
    """Compute the expected calibration error of arrays that fit into memory.

    Args:
        truth: Integer labels, see `CalibrationBins.update`.
        probabilities: Probabilities with the classes on the last axis.
        num_bins: Number of bins.
        ignore_class: The true label of void pixels, any integer, or None.

    Returns:
        A number from 0 to 1, NaN without any pixel.

    Raises:
        ValueError: As `CalibrationBins` does.
    """
    bins = CalibrationBins(num_bins, ignore_class=ignore_class)
    bins.update(truth, probabilities)
    return bins.ece


def _paired(truth, probabilities):
    """Return labels `(n,)` and probabilities `(n, C)`."""
    shape = probabilities.shape
    if not shape or not shape[-1] or truth.shape not in (shape[:-1], (*shape[:-1], 1)):
        raise ValueError(
            f"truth has shape {truth.shape}, probabilities {shape}; expected (N, H, W) and "
            "(N, H, W, C), with C = 1 for a sigmoid channel."
        )
    return truth.reshape(-1), probabilities.reshape(-1, shape[-1])


def _check_rows(rows):
    check_probabilities("probabilities", rows)
    if rows.size and rows.shape[-1] > 1:
        sums = rows.sum(axis=-1, dtype=np.float64)
        worst = sums[np.argmax(np.abs(sums - 1))]
        if abs(worst - 1) > 0.01:
            raise ValueError(
                f"The probabilities of a pixel sum to {worst:.4g}, expected 1; use softmax."
            )


def _top(rows):
    """Return the confidence and the predicted class of each row, both `(n,)`."""
    if rows.shape[-1] == 1:
        foreground = rows[:, 0].astype(np.float64)
        return np.clip(np.maximum(foreground, 1 - foreground), 0, 1), foreground > 0.5
    return np.clip(rows.max(axis=-1).astype(np.float64), 0, 1), rows.argmax(axis=-1)
