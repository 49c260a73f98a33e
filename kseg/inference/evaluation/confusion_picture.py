"""A confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLASSES = 30
_WITH_COUNTS = 12


def draw_confusion(confusion: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Draw which share of the pixels of each class was predicted as which.

    Every row is divided by its sum, which stands beside the name of the class. With at most 12
    classes the cells show counts, too. Of more than 30 classes the 29 with the most true pixels
    are shown, and the others together as one.

    Args:
        confusion: Counts `(C, C)`, rows truth, columns prediction.
        class_names: A name per class.

    Returns:
        The picture, uint8 RGB `(H, W, 3)`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    confusion, names = largest_classes(np.asarray(confusion), list(map(_shortened, class_names)))
    side = 2 + len(names) * (0.7 if len(names) <= _WITH_COUNTS else 0.36)
    figure = Figure((side + 0.6, side), dpi=80, layout="constrained")
    canvas, axis = FigureCanvasAgg(figure), figure.subplots()
    support = confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        shares = confusion / support[:, None]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_facecolor("0.92")  # seen where a class has no pixels
    rows = [f"{name}  {short_count(count)}" for name, count in zip(names, support, strict=True)]
    axis.set_xticks(range(len(names)), names, rotation=90, parse_math=False, fontsize=8)
    axis.set_yticks(range(len(names)), rows, parse_math=False, fontsize=8)
    axis.set(xlabel="prediction", ylabel="truth, with its pixels")
    _write_cells(axis, confusion, shares)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write_cells(axis: Axes, confusion: np.ndarray, shares: np.ndarray) -> None:
    """Write into the cells what is more than next to nothing; text takes most of the time."""
    with_counts = len(shares) <= _WITH_COUNTS
    smallest = 0.005 if with_counts else 0.02
    for row, column in np.argwhere(np.nan_to_num(shares) >= smallest):
        share = shares[row, column]
        count = f"\n{short_count(confusion[row, column])}" if with_counts else ""
        colour = "white" if share > 0.5 else "black"
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7, "color": colour}
        axis.text(column, row, f"{share:.0%}{count}", **style)


def largest_classes(confusion: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Keep at most 30 rows and columns; the last one sums up the classes left out."""
    if len(names) <= MOST_CLASSES:
        return confusion, names
    by_size = np.argsort(-confusion.sum(axis=1), kind="stable")
    kept = np.sort(by_size[: MOST_CLASSES - 1])
    group = np.full(len(names), len(kept))
    group[kept] = np.arange(len(kept))
    merged = np.zeros((MOST_CLASSES, MOST_CLASSES), confusion.dtype)
    np.add.at(merged, (group[:, None], group[None, :]), confusion)
    return merged, [*(names[index] for index in kept), f"{len(names) - len(kept)} others"]


def short_count(count: float) -> str:
    """Write a count with three digits: 987, 12.3k, 4.56M."""
    value = float(count)
    for unit in ("", "k", "M", "G"):
        if value < 999.5:
            return f"{value:.0f}" if not unit else f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}T"


def _shortened(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
