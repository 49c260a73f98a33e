"""Label maps that are written row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from kseg.files import replacing
from kseg.inference.huge.label_png import PngRows
from kseg.inference.huge.label_tiff import TiffRows
from kseg.palette import class_palette


class RowWriter(Protocol):
    """Writes a file of one format."""

    def write(self, labels: np.ndarray) -> None:
        """Write the next rows `(h, W)` uint8."""

    def finish(self) -> None:
        """Write what stands at the end of the file."""


_FORMATS: dict[str, Callable[[IO[bytes], int, int, np.ndarray], RowWriter]] = {
    ".png": PngRows,
    ".tif": TiffRows,
    ".tiff": TiffRows,
}


class LabelSink:
    """Passes rows on to a file, once each and in their order.

    Args:
        writer: Writes the file.
        height: Rows of the label map.
        width: Labels of a row.
    """

    def __init__(self, writer: RowWriter, height: int, width: int):
        self._writer = writer
        self._shape = height, width
        self._written = 0

    def write(self, start: int, labels: np.ndarray) -> None:
        """Write some rows `(h, W)` uint8.

        Raises:
            ValueError: They are not the next ones, or no labels of this width.
        """
        height, width = self._shape
        if start != self._written or start + len(labels) > height:
            raise ValueError(
                f"rows {start} to {start + len(labels)} were given; the next ones are those from "
                f"{self._written} on, of {height}"
            )
        if labels.dtype != np.uint8 or labels.shape[1:] != (width,):
            raise ValueError(
                f"labels are uint8 in rows of {width}; these are {labels.dtype} of the shape "
                f"{labels.shape}"
            )
        self._writer.write(labels)
        self._written += len(labels)

    def finish(self) -> None:
        """Complete the file.

        Raises:
            ValueError: Rows are missing.
        """
        if self._written < self._shape[0]:
            raise ValueError(f"only {self._written} of {self._shape[0]} rows were written")
        self._writer.finish()


@contextmanager
def open_sink(
    path: str | Path, height: int, width: int, *, palette: np.ndarray | None = None
) -> Iterator[LabelSink]:
    """Give a sink for a label file, which takes the place of `path` once it is complete.

    The values of the file are the labels; the colours are for looking at it.

    Args:
        path: `.png` (palette), or `.tif` or `.tiff` (palette BigTIFF, deflate).
        height: Rows of the label map.
        width: Labels of a row.
        palette: uint8 colours `(256, 3)`; by default those of `class_palette`.

    Raises:
        ValueError: The format cannot be written, or at the end: rows are missing.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"{path}: large label maps are written as {', '.join(_FORMATS)}")
    colours = class_palette() if palette is None else palette
    with replacing(path) as draft, draft.open("wb") as file:
        writer = _FORMATS[path.suffix.lower()](file, height, width, colours)
        sink = LabelSink(writer, height, width)
        yield sink
        sink.finish()
