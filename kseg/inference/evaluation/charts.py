"""Bar charts of the classes, and the confusion matrix, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kseg.data.io import write_image
from kseg.files import replacing
from kseg.inference.evaluation.confusion_picture import draw_confusion
from kseg.inference.evaluation.summary import class_rows

_COLOUR = "#3b6ea5"


class _Chart(NamedTuple):
    """A chart: column of the classes, title, and the mean that it names."""

    column: str
    title: str
    mean: str | None


# Names of the files without extension, as in older projects; recall is the pixel accuracy of a
# class, so that two of the charts show the same.
CHARTS: Mapping[str, _Chart] = {
    "mIoU": _Chart("iou", "mIoU", "mean_iou"),
    "mPA": _Chart("recall", "mPA", "mean_pixel_accuracy"),
    "Recall": _Chart("recall", "mRecall", "mean_pixel_accuracy"),
    "Precision": _Chart("precision", "mPrecision", None),
}


def draw_charts(folder: Path, report: Mapping[str, Any]) -> None:
    """Write mIoU.png, mPA.png, Recall.png, Precision.png and confusion_matrix.png.

    Args:
        folder: Where to.
        report: The contents of report.json.
    """
    rows = class_rows(report)
    for name, chart in CHARTS.items():
        values = [row[chart.column] for row in rows]
        known = [value for value in values if value is not None]
        mean = report["means"][chart.mean] if chart.mean else np.mean(known) if known else None
        title = chart.title if mean is None else f"{chart.title} = {100 * mean:.2f} %"
        whiskers = _whiskers(rows) if chart.column == "iou" else None
        _bars(folder / f"{name}.png", title, [row["name"] for row in rows], values, whiskers)
    names = [row["name"] for row in rows]
    write_image(
        folder / "confusion_matrix.png", draw_confusion(np.array(report["confusion"]), names)
    )


def _whiskers(rows: Sequence[Mapping[str, Any]]) -> np.ndarray | None:
    """Return how far the intervals reach below and above the IoU, 0 where there is none."""
    if all(row["iou_low"] is None for row in rows):
        return None
    reach = [
        (0.0, 0.0)
        if row["iou_low"] is None or row["iou"] is None
        else (max(0.0, row["iou"] - row["iou_low"]), max(0.0, row["iou_high"] - row["iou"]))
        for row in rows
    ]
    return np.array(reach).T


def _bars(
    path: Path,
    title: str,
    names: Sequence[str],
    values: Sequence[float | None],
    whiskers: np.ndarray | None,
) -> None:
    from matplotlib.figure import Figure

    places = np.arange(len(names))[::-1]
    figure = Figure((7, 1.2 + 0.32 * len(names)), layout="constrained")
    axis = figure.subplots()
    lengths = [value or 0.0 for value in values]
    axis.barh(places, lengths, color=_COLOUR, xerr=whiskers, ecolor="0.25", capsize=2)
    for place, value in zip(places, values, strict=True):
        text = "no pixels" if value is None else f"{value:.3f}"
        axis.text(1.02, place, text, va="center", fontsize=8, parse_math=False)
    axis.set_yticks(places, names, parse_math=False, fontsize=8)
    axis.set_xlim(0, 1.15)
    axis.set_xticks(np.linspace(0, 1, 6))
    axis.set_title(title, parse_math=False)
    axis.spines[["top", "right"]].set_visible(False)
    with replacing(path) as draft:
        figure.savefig(draft, dpi=100)
