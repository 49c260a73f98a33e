"""Scores as ratios of the counts of a confusion matrix, for NumPy and for Keras tensors.

Every formula is written once. `xp` is the module that computes: `numpy` for reports and
`keras.ops` inside a training step; the functions used here have the same name in both. No
formula takes a difference of large counts, so that float32 scores of 2**40 pixels, some
classes with a handful, are right to 3e-7.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from kseg.metrics.confusion import Counts

AVERAGES = ("macro", "micro", "weighted", "per_image", None)


def ratio(xp, part, whole, empty=0.0):
    """Return `part / whole`, and `empty` where `whole` is 0."""
    return xp.where(whole > 0, part / xp.where(whole > 0, whole, 1.0), empty)


def iou(counts, xp):
    """Return TP / (TP + FP + FN)."""
    return ratio(xp, counts.tp, counts.tp + counts.fp + counts.fn)


def precision(counts, xp):
    """Return TP / (TP + FP)."""
    return ratio(xp, counts.tp, counts.predicted)


def recall(counts, xp):
    """Return TP / (TP + FN)."""
    return ratio(xp, counts.tp, counts.truth)


def specificity(counts, xp):
    """Return TN / (TN + FP), and 1 for a class that has every pixel: no false alarm is possible."""
    empty = xp.where(counts.truth > 0, 1.0, 0.0)
    return ratio(xp, counts.tn, counts.tn + counts.fp, empty)


def f_beta(beta):
    """Return the formula of (1 + b²) TP / ((1 + b²) TP + b² FN + FP); 1 is Dice."""
    square = float(beta) ** 2

    def formula(counts, xp):
        hits = (1.0 + square) * counts.tp
        return ratio(xp, hits, hits + square * counts.fn + counts.fp)

    return formula


def kappa(counts, xp):
    """Return Cohen's kappa, (p_o - p_e) / (1 - p_e), from -1 to 1.

    Paper: Cohen, "A Coefficient of Agreement for Nominal Scales", 1960. p_o is the share of
    right pixels, p_e the one expected from the shares of the classes alone. Where truth and
    prediction are one and the same class, 0 / 0 counts as 0.
    """
    shares = _shares(counts, xp)
    chance_errors = xp.sum((shares.tp + shares.fn) * (shares.tn + shares.fn), axis=-1)
    return ratio(xp, _covariance(shares, xp), chance_errors)


def mcc(counts, xp):
    """Return Matthews' correlation coefficient of any number of classes, from -1 to 1.

    Paper: Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", 2004. Where truth or prediction is a single class, 0 / 0 counts as 0.
    """
    shares = _shares(counts, xp)
    truth = xp.sum((shares.tp + shares.fn) * (shares.tn + shares.fp), axis=-1)
    predicted = xp.sum((shares.tp + shares.fp) * (shares.tn + shares.fn), axis=-1)
    # Two roots: the product of the variances of rare classes would be 0 in float32.
    return ratio(xp, _covariance(shares, xp), xp.sqrt(truth) * xp.sqrt(predicted))


def _shares(counts, xp):
    """Return the counts divided by the number of pixels: products of counts leave float32."""
    pixels = counts.tp + counts.fp + counts.fn + counts.tn
    return Counts(*(ratio(xp, part, pixels) for part in counts))


def _covariance(shares, xp):
    """Return the covariance of truth and prediction, summed over the classes."""
    return xp.sum(shares.tp * shares.tn - shares.fp * shares.fn, axis=-1)


@dataclass(frozen=True)
class Score:
    """A formula per class and how its classes become one number.

    Attributes:
        formula: Function `(counts, xp) -> (..., C)`, or `(...)` where `average` is "whole".
        average: Fixed average, "whole" if the formula takes all classes at once, or "" to
            leave it to the caller.
        first_class: 1 to leave the background out.
    """

    formula: Callable
    average: str = ""
    first_class: int = 0

    def value(self, counts, xp, average="macro"):
        """Return the score of one matrix, or of each of several.

        Only classes with truth pixels count; without any the score is 0.

        Args:
            counts: The `Counts`, `(..., C)`.
            xp: `numpy` or `keras.ops`.
            average: "macro" is the mean over classes, "micro" the formula on the sums over
                classes, "weighted" the mean by truth pixels; None gives `(..., C)` with NaN
                for classes without truth pixels.

        Returns:
            Numbers from 0 to 1 (`kappa` and `mcc` from -1), `(...)` or `(..., C)`.
        """
        average = self.average or average
        counts = Counts(*(part[..., self.first_class :] for part in counts))
        if average == "micro":
            counts = Counts(*(xp.sum(part, axis=-1) for part in counts))
        values = self.formula(counts, xp)
        if average in ("micro", "whole"):
            return values
        present = counts.truth > 0
        if average is None:
            return xp.where(present, values, float("nan"))
        weights = counts.truth if average == "weighted" else xp.where(present, 1.0, 0.0)
        return ratio(xp, xp.sum(values * weights, axis=-1), xp.sum(weights, axis=-1))


_SCORES = {
    "iou_score": Score(iou),
    "jaccard_score": Score(iou),
    "f1_score": Score(f_beta(1)),
    "f2_score": Score(f_beta(2)),
    "dice_score": Score(f_beta(1)),
    "precision": Score(precision),
    "recall": Score(recall),
    "specificity": Score(specificity),
    "pixel_accuracy": Score(recall, average="micro"),
    "mean_pixel_accuracy": Score(recall, average="macro"),
    "mean_iou": Score(iou, average="macro"),
    "object_mean_iou": Score(iou, average="macro", first_class=1),
    "fw_iou": Score(iou, average="weighted"),
    "kappa": Score(kappa, average="whole"),
    "mcc": Score(mcc, average="whole"),
}
# Names in use elsewhere that are too far from ours for `difflib`, or closer to a wrong one.
_SYNONYMS = {
    "acc": "pixel_accuracy",
    "accuracy": "pixel_accuracy",
    "cohen_kappa": "kappa",
    "dsc": "dice_score",
    "matthews": "mcc",
    "matthews_corrcoef": "mcc",
    "miou": "mean_iou",
    "mpa": "mean_pixel_accuracy",
    "ppv": "precision",
    "sensitivity": "recall",
    "tnr": "specificity",
    "tpr": "recall",
}


def list_metrics():
    """Return the names of all scores, sorted."""
    return sorted(_SCORES)


def list_per_image():
    """Return the names of the scores that have a mean of per-image values, sorted."""
    return sorted(name for name, score in _SCORES.items() if not score.average)


def get_score(name):
    """Return the `Score` called `name`.

    Raises:
        ValueError: If there is none, with the closest name.
    """
    if not isinstance(name, str) or name not in _SCORES:
        raise ValueError(f"Unknown metric {name!r}; {_hint(str(name))}")
    return _SCORES[name]


def _hint(name):
    wanted = name.lower().replace("-", "_").replace(" ", "_")
    plain = wanted.removesuffix("_per_image")
    close = [known for known in _SCORES if plain and known.startswith(plain)]
    close += [_SYNONYMS[plain]] if plain in _SYNONYMS else []
    close += difflib.get_close_matches(plain, _SCORES, n=1)
    if not close:
        return f"choose from {', '.join(_SCORES)}."
    option = " with average='per_image'" if plain != wanted else ""
    return f"did you mean {close[0]!r}{option}?"
