"""The training curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kseg.files import replacing

_CHARTS = (("loss", "loss"), ("iou_score", "mean IoU"))


def draw_curves(path: Path, rows: Sequence[dict[str, float]]) -> None:
    """Draw loss and mean IoU of training and validation over the epochs into a PNG.

    Args:
        path: File to write.
        rows: The rows of the metrics file.
    """
    from matplotlib.figure import Figure

    figure = Figure((10, 4), layout="constrained")
    for axis, (name, title) in zip(figure.subplots(1, 2), _CHARTS, strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            points = [(row["epoch"], row[column]) for row in rows if column in row]
            if points:
                axis.plot(*zip(*points, strict=True), marker=".", label=label)
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    with replacing(path) as draft:
        figure.savefig(draft, dpi=110)
