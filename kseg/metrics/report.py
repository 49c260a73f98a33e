"""The scores of a finished evaluation as numbers, JSON, CSV and text tables."""

import csv
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from kseg.files import replacing_text
from kseg.metrics.confusion import counts_of
from kseg.metrics.scores import get_score

_COLUMNS = {
    "iou": "iou_score",
    "dice": "dice_score",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
}
_MEANS = {
    "mean_iou": "mean_iou",
    "object_mean_iou": "object_mean_iou",
    "mean_dice": "dice_score",
    "pixel_accuracy": "pixel_accuracy",
    "mean_pixel_accuracy": "mean_pixel_accuracy",
    "fw_iou": "fw_iou",
    "kappa": "kappa",
    "mcc": "mcc",
}


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, NaN where the truth has no pixel of it.

    Attributes:
        name: Name of the class.
        iou: Intersection over union.
        dice: Dice coefficient, equal to F1.
        precision: Share of the predicted pixels that are right.
        recall: Share of the true pixels that are found.
        specificity: Share of the pixels of other classes that are not predicted as this one.
        support: Number of true pixels.
        predicted: Number of predicted pixels.
    """

    name: str
    iou: float
    dice: float
    precision: float
    recall: float
    specificity: float
    support: int
    predicted: int


@dataclass(frozen=True)
class SegmentationReport:
    """Scores of a data set.

    Attributes:
        classes: One `ClassScores` per class.
        means: `{name: value}`; means are over classes with truth pixels, NaN without any.
            `kappa` and `mcc` are of the whole matrix. `foreground_iou` is the IoU of class 1
            and there for two classes only.
        confusion: int64 `(C, C)`, rows truth, columns prediction.
    """

    classes: list[ClassScores]
    means: dict[str, float]
    confusion: np.ndarray = field(repr=False)

    def to_dict(self):
        """Return plain Python values; NaN becomes None, as JSON has no NaN."""
        classes = [
            {key: _plain(value) for key, value in asdict(row).items()} for row in self.classes
        ]
        means = {key: _plain(value) for key, value in self.means.items()}
        return {"means": means, "classes": classes, "confusion": self.confusion.tolist()}

    def to_json(self, path):
        """Write `to_dict` to the file `path`."""
        with replacing_text(Path(path)) as file:
            json.dump(self.to_dict(), file, indent=2, ensure_ascii=False)

    def to_csv(self, path):
        """Write one row per class to the file `path`; an absent class has empty cells."""
        rows = self.to_dict()["classes"]
        _write_csv(path, [list(rows[0]), *(row.values() for row in rows)])

    def confusion_to_csv(self, path):
        """Write the counts to the file `path`: a row per true class, a column per predicted one."""
        names = [row.name for row in self.classes]
        counts = zip(names, self.confusion.tolist(), strict=True)
        _write_csv(path, [["truth", *names], *([name, *row] for name, row in counts)])

    def table(self):
        """Return a `rich.table.Table` of the classes, with the means in the caption."""
        from kseg.metrics.report_tables import class_table

        return class_table(self.classes, self.means)

    def confusion_table(self):
        """Return a `rich.table.Table` of the confusion matrix, each row divided by its sum."""
        from kseg.metrics.report_tables import confusion_table

        return confusion_table(self.classes, self.confusion)


def segmentation_report(confusion, class_names=None):
    """Compute every score of a confusion matrix, in float64.

    Args:
        confusion: Whole counts `(C, C)`, rows truth, columns prediction: the sum of
            `confusion_matrix(truth, prediction, C)` over the images, or a metric's
            `confusion_matrix()`.
        class_names: A name per class; None numbers them.

    Returns:
        A `SegmentationReport`.

    Raises:
        ValueError: If the matrix is not square, not of whole counts, or the names do not fit.
    """
    confusion = _checked(np.asarray(confusion))
    if np.ndim(class_names) > 1:
        raise ValueError(f"class_names is no list of names, got shape {np.shape(class_names)}.")
    names = list(map(str, range(len(confusion)) if class_names is None else class_names))
    if len(names) != len(confusion):
        raise ValueError(f"{len(names)} class names for {len(confusion)} classes.")
    counts = counts_of(confusion.astype(np.float64), np)
    columns = {key: get_score(score).value(counts, np, None) for key, score in _COLUMNS.items()}
    columns |= {"support": confusion.sum(axis=1), "predicted": confusion.sum(axis=0)}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    classes = [
        ClassScores(name, **dict(zip(columns, row, strict=True)))
        for name, row in zip(names, rows, strict=True)
    ]
    return SegmentationReport(classes, _means(counts, classes), confusion)


def _means(counts, classes):
    """Return the means, NaN where no class has a truth pixel."""
    means = {}
    for key, name in _MEANS.items():
        score = get_score(name)
        seen = counts.truth[score.first_class :].sum() > 0
        means[key] = float(score.value(counts, np)) if seen else math.nan
    if len(classes) == 2:
        means["foreground_iou"] = classes[1].iou
    return means


def _checked(confusion):
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or not confusion.size:
        raise ValueError(
            f"A confusion matrix is square, got shape {confusion.shape}; for label maps call "
            "confusion_matrix(truth, prediction, num_classes) first."
        )
    if not np.issubdtype(confusion.dtype, np.integer) or confusion.min() < 0:
        raise ValueError("A confusion matrix holds whole counts from 0 on.")
    return confusion.astype(np.int64)


def _write_csv(path, rows):
    with replacing_text(Path(path)) as file:
        csv.writer(file).writerows(rows)


def _plain(value):
    return None if isinstance(value, float) and math.isnan(value) else value
