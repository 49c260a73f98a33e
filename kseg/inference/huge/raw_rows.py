"""Files whose values are stored one after the other, without compression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kseg.data.decode import open_numpy


class RawRows:
    """Reads rows from where they are in a file.

    The file is not mapped into memory: the pages of a mapped file count as memory of the process.

    Args:
        path: The file.
        offsets: First byte of each plane of channels.
        shape: Height, width and channels of one plane.
        dtype: Type of the values, in the byte order of the file.
        alpha: The last channel is transparency.
    """

    def __init__(
        self,
        path: Path,
        offsets: Sequence[int],
        shape: tuple[int, int, int],
        dtype: np.dtype,
        alpha: bool = False,
    ):
        self._path, self._offsets, self._plane = path, offsets, shape
        self._stored = np.dtype(dtype)
        self.dtype = self._stored.newbyteorder("=")
        self.shape = (*shape[:2], shape[2] * len(offsets))
        self.alpha = alpha
        end = max(offsets) + int(np.prod(shape)) * self._stored.itemsize
        if path.stat().st_size < end:
            raise ValueError(f"{path}: the image is truncated")

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`."""
        planes = [self._read(offset, start, stop) for offset in self._offsets]
        rows = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=-1)
        return rows.astype(self.dtype, copy=False)

    def _read(self, offset: int, start: int, stop: int) -> np.ndarray:
        _, width, channels = self._plane
        values = width * channels
        place = offset + start * values * self._stored.itemsize
        count = (stop - start) * values
        found = np.fromfile(self._path, self._stored, count, offset=place)
        return found.reshape(stop - start, width, channels)


class _Columns:
    """An array in Fortran order, whose rows are spread over the whole file."""

    alpha = False

    def __init__(self, array: np.ndarray):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype.newbyteorder("=")

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`."""
        return np.array(self._array[start:stop], self.dtype, order="C")


def numpy_rows(path: Path) -> RawRows | _Columns:
    """Open a `.npy` file of an image `(H, W)` or `(H, W, bands)`.

    Raises:
        ValueError: The file is damaged or holds no image.
    """
    array = open_numpy(path)
    image = array if array.ndim == 3 else array[..., None]
    if not array.flags.c_contiguous:
        return _Columns(image)
    return RawRows(path, [array.offset], image.shape, array.dtype)
