"""The scores of a finished evaluation as numbers, text table, JSON and CSV."""

import csv
import json
import math
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from kseg.metrics.scores import counts_of, get_score

_COLUMNS = {"iou": "iou_score", "dice": "dice_score", "precision": "precision", "recall": "recall"}
_MEANS = {
    "mean_iou": "iou_score",
    "object_mean_iou": "object_mean_iou",
    "mean_dice": "dice_score",
    "pixel_accuracy": "pixel_accuracy",
    "mean_pixel_accuracy": "mean_pixel_accuracy",
    "fw_iou": "fw_iou",
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
        support: Number of true pixels.
        predicted: Number of predicted pixels.
    """

    name: str
    iou: float
    dice: float
    precision: float
    recall: float
    support: int
    predicted: int


@dataclass(frozen=True)
class SegmentationReport:
    """Scores of a data set.

    Attributes:
        classes: One `ClassScores` per class.
        means: `{name: value}`; means are over classes with truth pixels, NaN without any.
            `foreground_iou` is the IoU of class 1 and there for two classes only.
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
        with _replacing(path) as file:
            json.dump(self.to_dict(), file, indent=2, ensure_ascii=False)

    def to_csv(self, path):
        """Write one row per class to the file `path`; an absent class has empty cells."""
        rows = self.to_dict()["classes"]
        with _replacing(path) as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def table(self):
        """Return a `rich.table.Table` of the classes, with the means in the caption."""
        from rich.table import Table

        means = ", ".join(f"{key} {_text(value)}" for key, value in self.means.items())
        table = Table(caption=means)
        rows = [asdict(row) for row in self.classes]
        for key in rows[0]:
            table.add_column(key, justify="left" if key == "name" else "right")
        for row in rows:
            table.add_row(*map(_text, row.values()))
        return table


def segmentation_report(confusion, class_names=None):
    """Compute every score of a confusion matrix.

    Args:
        confusion: Whole counts `(C, C)`, rows truth, columns prediction.
        class_names: A name per class; None numbers them.

    Returns:
        A `SegmentationReport`.

    Raises:
        ValueError: If the matrix is not square, not of whole counts, or the names do not fit.
    """
    confusion = _checked(np.asarray(confusion))
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
        raise ValueError(f"A confusion matrix is square, got shape {confusion.shape}.")
    if not np.issubdtype(confusion.dtype, np.integer) or confusion.min() < 0:
        raise ValueError("A confusion matrix holds whole counts from 0 on.")
    return confusion.astype(np.int64)


def _plain(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(value):
    if _plain(value) is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


@contextmanager
def _replacing(path):
    """Open a file that takes the place of `path` only once it is complete."""
    partial = Path(f"{path}.part")
    with partial.open("w", encoding="utf-8", newline="") as file:
        yield file
    os.replace(partial, path)
