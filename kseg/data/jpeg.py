"""Ordinary JPEG files by libjpeg-turbo itself: the pixels of OpenCV in two thirds of its time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import simplejpeg

from kseg.data.decode import exif_orientation
from kseg.data.limits import check_pixels
from kseg.data.orientation import upright

_SPACES = {1: "GRAY", 3: "RGB"}
_ORDINARY = ("YCbCr", "Gray")
# EXIF, or the start of the compressed data, which comes after it. Looking is quicker than parsing.
_EXIF_OR_SCAN = re.compile(rb"(Exif\0\0)|\xff\xda\0[\x08\x0c][\x01\x03]")


def decode_jpeg(path: Path, data: np.ndarray, channels: int) -> np.ndarray | None:
    """Decode a JPEG file `(H, W, channels)` uint8 upright; None where it is not an ordinary one.

    What follows the image, as a film does in motion photos, is left alone. Files that are damaged
    or of other colour spaces are left to the decoders that know about them, and can say what is
    wrong.

    Args:
        path: The file, for its EXIF orientation.
        data: Its bytes.
        channels: 1 for grey, 3 for RGB.
    """
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        check_pixels(height, width, path)
        if space not in _ORDINARY:
            return None
        return upright(simplejpeg.decode_jpeg(data, _SPACES[channels]), _orientation(path, data))
    except ValueError:
        return None


def _orientation(path: Path, data: np.ndarray) -> int:
    first = _EXIF_OR_SCAN.search(data.data)
    is_plain = first is not None and first[1] is None
    return 1 if is_plain else exif_orientation(path)
