"""Scores as ratios of the counts of a confusion matrix, for NumPy and for Keras tensors.

Every formula is written once. `xp` is the module that computes: `numpy` for reports and
`keras.ops` inside a training step; the functions used here have the same name in both.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

AVERAGES = ("macro", "micro", "weighted", None)


class Counts(NamedTuple):
    """Pixels per class, each `(C,)` and floating point.

    Attributes:
        hits: Pixels whose true and predicted class is this one (TP).
        truth: Pixels whose true class is this one (TP + FN).
        predicted: Pixels predicted as this one (TP + FP).
    """

    hits: Any
    truth: Any
    predicted: Any


def counts_of(matrix, xp):
    """Return the counts of a floating-point confusion matrix `(C, C)`, rows truth."""
    return Counts(xp.diagonal(matrix), xp.sum(matrix, axis=1), xp.sum(matrix, axis=0))


def ratio(xp, part, whole):
    """Return `part / whole`, and 0 where the count `whole` is 0."""
    return part / xp.maximum(whole, 1.0)


def iou(counts, xp):
    """Return TP / (TP + FP + FN)."""
    return ratio(xp, counts.hits, counts.truth + counts.predicted - counts.hits)


def precision(counts, xp):
    """Return TP / (TP + FP)."""
    return ratio(xp, counts.hits, counts.predicted)


def recall(counts, xp):
    """Return TP / (TP + FN)."""
    return ratio(xp, counts.hits, counts.truth)


def f_beta(beta):
    """Return the formula of (1 + b²) TP / ((1 + b²) TP + b² FN + FP); 1 is Dice."""
    square = float(beta) ** 2

    def formula(counts, xp):
        # (1 + b²) TP + b² FN + FP, regrouped without differences of large counts.
        return ratio(xp, (1.0 + square) * counts.hits, square * counts.truth + counts.predicted)

    return formula


@dataclass(frozen=True)
class Score:
    """A formula per class and how its classes become one number.

    Attributes:
        formula: Function `(counts, xp) -> (C,)`.
        average: Fixed average, or "" to leave it to the caller.
        first_class: 1 to leave the background out.
    """

    formula: Callable
    average: str = ""
    first_class: int = 0

    def value(self, counts, xp, average="macro"):
        """Return the score of a whole data set.

        Only classes with truth pixels count; without any the score is 0.

        Args:
            counts: The `Counts`.
            xp: `numpy` or `keras.ops`.
            average: "macro" is the mean over classes, "micro" the formula on the sums over
                classes, "weighted" the mean by truth pixels; None gives `(C,)` with NaN
                for classes without truth pixels.

        Returns:
            A number from 0 to 1, or `(C,)`.
        """
        average = self.average or average
        counts = Counts(*(part[self.first_class :] for part in counts))
        if average == "micro":
            summed = Counts(*(xp.sum(part) for part in counts))
            return self.formula(summed, xp)
        values, present = self.formula(counts, xp), counts.truth > 0
        if average is None:
            return xp.where(present, values, float("nan"))
        weights = counts.truth if average == "weighted" else xp.where(present, 1.0, 0.0)
        return ratio(xp, xp.sum(values * weights), xp.sum(weights))


_SCORES = {
    "iou_score": Score(iou),
    "jaccard_score": Score(iou),
    "f1_score": Score(f_beta(1)),
    "f2_score": Score(f_beta(2)),
    "dice_score": Score(f_beta(1)),
    "precision": Score(precision),
    "recall": Score(recall),
    "pixel_accuracy": Score(recall, average="micro"),
    "mean_pixel_accuracy": Score(recall, average="macro"),
    "object_mean_iou": Score(iou, average="macro", first_class=1),
    "fw_iou": Score(iou, average="weighted"),
}


def list_metrics():
    """Return the names of all scores, sorted."""
    return sorted(_SCORES)


def get_score(name):
    """Return the `Score` called `name`.

    Raises:
        ValueError: If there is none, with the closest name.
    """
    if name not in _SCORES:
        close = [known for known in _SCORES if name and known.startswith(str(name))]
        close += difflib.get_close_matches(str(name), _SCORES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(_SCORES)}."
        raise ValueError(f"Unknown metric {name!r}; {hint}")
    return _SCORES[name]
