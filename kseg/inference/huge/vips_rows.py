"""PNG, JPEG, WebP and unusual TIFF files, decoded row by row by libvips (the package pyvips)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_TYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32, "double": np.float64}
_OTHER_COLOURS = ("lab", "labs", "xyz", "hsv", "lch")

# What libvips says of BMP and PPM files, which the package's own copy of it does not read.
_UNKNOWN = "not in a known format"


class VipsRows:
    """Reads the rows of an image once, from top to bottom.

    An image that is stored lying or mirrored is turned upright, by way of a file in the folder
    for temporary ones if it is large.

    Args:
        path: The file.
        image: The image (pyvips').

    Raises:
        ValueError: Its values have a type that images have not.
    """

    def __init__(self, path: Path, image: Any):
        import pyvips

        if image.format not in _TYPES:
            raise ValueError(f"{path}: the values are {image.format}")
        self._path, self._error = path, pyvips.Error
        self._region = pyvips.Region.new(image)
        self.shape = image.height, image.width, image.bands
        self.dtype = np.dtype(_TYPES[image.format])
        self.alpha = bool(image.hasalpha())

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`."""
        _, width, channels = self.shape
        try:
            data = self._region.fetch(0, start, width, stop - start)
        except self._error as error:
            raise ValueError(f"{self._path}: the image is damaged ({_reason(error)})") from None
        return np.frombuffer(data, self.dtype).reshape(stop - start, width, channels)


def vips_rows(path: Path, page: int | None = None) -> VipsRows | None:
    """Open an image; None where pyvips is not installed or was built without this kind of file.

    Raises:
        ValueError: The file is damaged or no image.
    """
    try:
        import pyvips
    except (ImportError, OSError):  # without libvips itself the import ends in an OSError
        return None
    pages = {"page": page} if page else {}
    try:
        image = _open(path, "sequential", **pages)
        if image.get_typeof("orientation") and image.get("orientation") != 1:
            image = _open(path, "random", **pages).autorot()
        if image.interpretation == "cmyk" and image.format == "uchar":
            image = _without_inks(image)
        elif image.interpretation in (*_OTHER_COLOURS, "cmyk"):
            image = image.colourspace("srgb")
    except pyvips.Error as error:
        if _UNKNOWN in str(error):
            return None
        raise ValueError(f"{path}: cannot be read ({_reason(error)})") from None
    return VipsRows(path, image)


def _without_inks(image: Any) -> Any:
    """Return CMYK as RGB, to the bit by Pillow's formula; libvips has a printer's profile."""
    light = 255 - image[3]
    rgb = light - (image[0:3] * light / 255).rint()
    return rgb.cast("uchar").copy(interpretation="srgb")


def _open(path: Path, access: str, **options: int) -> Any:
    import pyvips

    # By a source, because libvips takes brackets in a name for options.
    source = pyvips.Source.new_from_file(str(path))
    return pyvips.Image.new_from_source(source, "", access=access, fail_on="truncated", **options)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
