"""Palette PNG of rows that come one after the other."""

from __future__ import annotations

from typing import IO

import numpy as np

from kseg.inference.huge.waiting_rows import WaitingRows

_ROWS = 64


class PngRows:
    """Writes labels of 8 bits as palette indices, with the package pypng.

    Pillow and OpenCV write from arrays that are whole, and libvips chooses a palette of its own.

    Args:
        file: Open for writing.
        height: Rows of the image.
        width: Pixels of a row.
        palette: uint8 colours `(256, 3)`.

    Raises:
        ValueError: PNG has no such size.
    """

    def __init__(self, file: IO[bytes], height: int, width: int, palette: np.ndarray):
        import png

        self._file, self._rows = file, WaitingRows(width)
        colours = [tuple(colour) for colour in palette.tolist()]
        try:
            self._writer = png.Writer(width, height, palette=colours, bitdepth=8)
        except png.ProtocolError:
            raise ValueError(f"{height}x{width} pixels are no size that PNG has") from None

    def write(self, labels: np.ndarray) -> None:
        """Write the next rows `(h, W)` uint8."""
        self._rows.write(labels)

    def finish(self) -> None:
        """Write the file."""
        rows = (row for rows in self._rows.taken(_ROWS) for row in rows)
        self._writer.write_packed(self._file, rows)
