"""A picture of pictures: one row per sample, one column per view of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kseg.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = 2.4


def draw_sheet(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[Sequence[np.ndarray]],
    names: Sequence[str] = (),
) -> None:
    """Write a PNG with one row per sample.

    Args:
        path: File to write.
        columns: Title of each column.
        rows: The pictures of each row, uint8 RGB `(H, W, 3)`.
        names: Line under each row, if any.
    """
    from matplotlib.figure import Figure

    heights = [_INCHES * _tallest(pictures) for pictures in rows]
    figure = Figure((_INCHES * len(columns), sum(heights)), layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False, height_ratios=heights)
    for axis, title in zip(grid[0], columns, strict=True):
        axis.set_title(title)
    for axes, pictures in zip(grid, rows, strict=True):
        for axis, picture in zip(axes, pictures, strict=True):
            axis.imshow(picture)
            axis.set_axis_off()
    if names:
        _write_names(figure, grid[:, 0], names)
    with replacing(path) as draft:
        figure.savefig(draft, dpi=110)


def _tallest(pictures: Sequence[np.ndarray]) -> float:
    """Return the height of a row as a share of the width of a column, with room for a line."""
    shapes = (picture.shape for picture in pictures)
    return min(max(height / width for height, width, *_ in shapes), 2.0) + 0.12


def _write_names(figure: Figure, first: Iterable[Axes], names: Sequence[str]) -> None:
    """Write a line under each row, over the width of all its pictures."""
    # The text must not push the pictures aside; the padding makes room for it.
    figure.set_layout_engine("constrained", h_pad=0.12)
    for axis, name in zip(first, names, strict=True):
        text = axis.text(0, -0.02, name, fontsize=7, parse_math=False, va="top")
        text.set_transform(axis.transAxes)
        text.set_in_layout(False)
