"""Palette BigTIFF of rows that come one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from kseg.inference.huge.waiting_rows import WaitingRows

_ROWS = 64
_MULTIPLE = 16
"""Sides of tiles in a TIFF file are multiples of this."""


class TiffRows:
    """Writes labels of 8 bits as palette indices, in tiles as wide as the image.

    Args:
        file: Open for writing, at its beginning.
        height: Rows of the image.
        width: Pixels of a row.
        palette: uint8 colours `(256, 3)`.
    """

    def __init__(self, file: IO[bytes], height: int, width: int, palette: np.ndarray):
        self._file, self._shape = file, (height, width)
        # 255 becomes 65535.
        self._colours = palette.T.astype(np.uint16) * 257
        self._rows = WaitingRows(width)

    def write(self, labels: np.ndarray) -> None:
        """Write the next rows `(h, W)` uint8."""
        self._rows.write(labels)

    def finish(self) -> None:
        """Write the file."""
        import tifffile

        tifffile.imwrite(
            self._file,
            self._tiles(),
            shape=self._shape,
            dtype=np.uint8,
            bigtiff=True,
            photometric="palette",
            colormap=self._colours,
            compression="zlib",
            tile=(_ROWS, self._tile_width),
            metadata=None,
        )

    @property
    def _tile_width(self) -> int:
        return -(-self._shape[1] // _MULTIPLE) * _MULTIPLE

    def _tiles(self) -> Iterator[np.ndarray]:
        for rows in self._rows.taken(_ROWS):
            missing = _ROWS - len(rows), self._tile_width - rows.shape[1]
            yield np.pad(rows, ((0, missing[0]), (0, missing[1])))
