"""Palette PNG, row by row."""

from __future__ import annotations

import struct
import zlib
from typing import IO

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST = 2**31 - 1
_PALETTE = 3


class PngRows:
    """Writes labels of 8 bits as palette indices (PNG specification, ISO/IEC 15948).

    Args:
        file: Open for writing.
        height: Rows of the image.
        width: Pixels of a row.
        palette: uint8 colours `(256, 3)`.

    Raises:
        ValueError: PNG has no such size.
    """

    def __init__(self, file: IO[bytes], height: int, width: int, palette: np.ndarray):
        if not 0 < min(height, width) <= max(height, width) <= _LONGEST:
            raise ValueError(f"{height}x{width} pixels are no size that PNG has")
        self._file = file
        self._compressor = zlib.compressobj()
        file.write(_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0))
        self._chunk(b"PLTE", palette.astype(np.uint8).tobytes())

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + name)
        self._file.write(data)
        self._file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))

    def write(self, labels: np.ndarray) -> None:
        """Write the next rows `(h, W)` uint8."""
        # Each row begins with the number of its filter; 0, none, suits labels.
        rows = np.pad(labels, ((0, 0), (1, 0)))
        if data := self._compressor.compress(rows.data):
            self._chunk(b"IDAT", data)

    def finish(self) -> None:
        """Write the end of the image."""
        self._chunk(b"IDAT", self._compressor.flush())
        self._chunk(b"IEND", b"")
