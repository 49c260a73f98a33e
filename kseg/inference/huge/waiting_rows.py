"""Rows that come one after the other, for libraries that ask for them when they write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np


class WaitingRows:
    """Labels of 8 bits in a temporary file, a byte for each pixel, until they are asked for.

    Args:
        width: Labels of a row.
    """

    def __init__(self, width: int):
        self._width = width
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `taken`, or when dropped)

    def write(self, labels: np.ndarray) -> None:
        """Keep the next rows `(h, W)` uint8."""
        self._file.write(np.ascontiguousarray(labels).data)

    def taken(self, count: int) -> Iterator[np.ndarray]:
        """Yield all rows, `count` at a time and fewer at the end, and delete the file."""
        with self._file:
            self._file.seek(0)
            while data := self._file.read(count * self._width):
                yield np.frombuffer(data, np.uint8).reshape(-1, self._width)
