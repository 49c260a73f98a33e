"""Image files that are read row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from kseg.data.channels import to_byte_range, to_channels
from kseg.data.decode import NUMPY_START, TIFF_STARTS, Decoded, first_bytes
from kseg.data.io import read_image
from kseg.data.limits import too_large
from kseg.inference.huge.arrays import ArraySource
from kseg.inference.huge.raw_rows import numpy_rows
from kseg.inference.huge.tiff_rows import tiff_rows
from kseg.inference.huge.vips_rows import vips_rows


class Rows(Protocol):
    """Reads a file of one kind.

    Attributes:
        shape: Height, width and channels.
        dtype: Type of the values.
        alpha: The last channel is transparency.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    alpha: bool

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)` as they are stored."""


class FileSource:
    """The rows of a file in the channels and the range that a network takes.

    Args:
        rows: Reads the file.
        channels: Channels to give, as by `kseg.data.io.read_image`.
        path: The file, for messages.

    Raises:
        ValueError: The file has other channels or another type of values.
    """

    def __init__(self, rows: Rows, channels: int, path: Path):
        self._rows, self._path = rows, path
        self.shape = (*rows.shape[:2], channels)
        self._is_float = np.issubdtype(rows.dtype, np.floating)
        self._brightest = 0.0
        # What cannot be converted is found before anything is read.
        self._converted(np.zeros((1, 1, rows.shape[2]), rows.dtype))

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return some rows `(stop - start, W, channels)`, uint8 or float32 in 0..255.

        Raises:
            ValueError: The file is damaged or its values are out of range.
        """
        image = self._converted(self._rows.rows(start, stop))
        if self._is_float:
            self._brightest = max(self._brightest, float(image.max()))
            self._require_light(stop)
        return image

    def _require_light(self, stop: int) -> None:
        """Refuse an image in 0..1 at its end, since some rows of any image may be dark."""
        if stop == self.shape[0] and 0 < self._brightest <= 1:
            raise ValueError(
                f"{self._path}: no value is above {self._brightest:g}, which would be black; "
                "multiply the values by 255"
            )

    def _converted(self, rows: np.ndarray) -> np.ndarray:
        decoded = Decoded(rows, alpha=self._rows.alpha)
        image = to_channels(decoded, self.shape[2], self._path)
        return self._in_range(image) if self._is_float else to_byte_range(image, self._path)

    def _in_range(self, image: np.ndarray) -> np.ndarray:
        low, high = float(image.min()), float(image.max())
        if not (low >= 0 and high <= 255):
            raise ValueError(
                f"{self._path}: the values are {low:g}..{high:g}; bring floating-point images to "
                "0..255"
            )
        return image.astype(np.float32, copy=False)


def open_source(
    path: str | Path, channels: int = 3, *, page: int | None = None
) -> FileSource | ArraySource:
    """Open an image file to be read from top to bottom, whatever its size.

    NumPy files, and TIFF files without compression or in strips or tiles that tifffile decodes, are
    read by themselves. All else is read by the package pyvips; without it, and of kinds that it
    does not know (BMP, PPM), images that are not too large are read whole. The values are those of
    `kseg.data.io.read_image`.

    Args:
        path: Image file.
        channels: Channels to give; 1, 3, 4 or the number of bands.
        page: Page of a TIFF file with several; by default the pages of one band each are bands.

    Raises:
        ValueError: The file is missing, damaged or no image, needs a package that is missing, or
            its channels cannot become `channels`.
    """
    path = Path(path)
    rows = _own_rows(path, page) or vips_rows(path, page)
    return _whole(path, channels, page) if rows is None else FileSource(rows, channels, path)


def _own_rows(path: Path, page: int | None) -> Rows | None:
    start = first_bytes(path)
    if start.startswith(TIFF_STARTS):
        return tiff_rows(path, page)
    if page:
        raise ValueError(f"{path}: page {page} is asked for, but only TIFF files have pages")
    return numpy_rows(path) if start.startswith(NUMPY_START) else None


def _whole(path: Path, channels: int, page: int | None) -> ArraySource:
    try:
        return ArraySource(read_image(path, channels, page=page))
    except ValueError as error:
        if str(error) != too_large(path):
            raise
        raise ValueError(
            f"{path}: an image of this size and kind cannot be read row by row here; save it as "
            "TIFF without compression, or, where it is PNG, JPEG, WebP or TIFF, pip install "
            "'pyvips[binary]'"
        ) from None
