"""Palette BigTIFF of rows that come one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np

_ROWS = 64
_MULTIPLE = 16
"""Sides of tiles in a TIFF file are multiples of this."""


class TiffRows:
    """Writes labels of 8 bits as palette indices, in tiles as wide as the image.

    tifffile asks for tiles when it writes, whereas rows come when they are ready; until then they
    lie in a temporary file, a byte for each pixel.

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
        self._rows = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `finish`, or when dropped)

    def write(self, labels: np.ndarray) -> None:
        """Write the next rows `(h, W)` uint8."""
        self._rows.write(np.ascontiguousarray(labels).data)

    def finish(self) -> None:
        """Write the file."""
        import tifffile

        with self._rows:
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
        height, width = self._shape
        self._rows.seek(0)
        for _ in range(0, height, _ROWS):
            rows = np.frombuffer(self._rows.read(_ROWS * width), np.uint8).reshape(-1, width)
            missing = _ROWS - len(rows), self._tile_width - width
            yield np.pad(rows, ((0, missing[0]), (0, missing[1])))
