"""Decoding and writing of images and label maps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from kseg.data.channels import to_byte_range, to_channels
from kseg.data.decode import (
    JPEG_START,
    PNG_START,
    decode_file,
    first_bytes,
    open_image,
    read_colour_fast,
)
from kseg.data.jpeg import decode_jpeg
from kseg.data.masks import LOSSY_SUFFIXES, read_mask
from kseg.files import replacing

__all__ = [
    "IMAGE_SUFFIXES",
    "LOSSY_SUFFIXES",
    "open_image",
    "read_image",
    "read_mask",
    "write_image",
    "write_mask",
]

IMAGE_SUFFIXES = (
    ".bmp",
    ".dib",
    ".gif",
    ".jpeg",
    ".jpg",
    ".npy",
    ".pbm",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
_FLAGS = {
    1: cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH,
    3: cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH,
}


def read_image(path: Path, channels: int = 3, *, page: int | None = None) -> np.ndarray:
    """Decode an image `(H, W, channels)`, upright by its EXIF orientation, in 0..255.

    Files of 8 bits per channel give uint8, deeper ones float32: 16-bit values are divided by 257,
    floating-point values stay and must be in 0..255. Grey becomes RGB and RGB grey as `channels`
    asks for, and transparency is dropped unless it is asked for with `channels=4`.

    Args:
        path: Image of any format in `IMAGE_SUFFIXES`; TIFF and NumPy files may have any number of
            bands.
        channels: Channels to return; 1, 3, 4 or the number of bands.
        page: Page of a TIFF file with several.

    Raises:
        ValueError: The file is missing, truncated, too large, no image, or its channels cannot
            become `channels`.
    """
    image = _read_usual(path, channels) if channels in _FLAGS and not page else None
    if image is None:
        image = to_channels(decode_file(path, page), channels, path)
    return to_byte_range(image, path)


def _read_usual(path: Path, channels: int) -> np.ndarray | None:
    start = first_bytes(path)
    if not start.startswith((JPEG_START, PNG_START)):
        return None
    data = np.fromfile(path, np.uint8)
    image = decode_jpeg(path, data, channels) if start.startswith(JPEG_START) else None
    if image is None:
        image = read_colour_fast(path, data, _FLAGS[channels])
    return None if image is None else image.reshape(*image.shape[:2], channels)


def write_mask(path: Path, labels: np.ndarray, palette: np.ndarray) -> None:
    """Write a label map `(H, W)` uint8 as palette PNG: the values are the labels.

    Args:
        path: File to write; it is replaced in one step.
        labels: Label map.
        palette: uint8 colours `(256, 3)`.
    """
    image = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
    image.putpalette(palette.astype(np.uint8).tobytes())
    write_picture(path, image, "PNG")


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a uint8 RGB image `(H, W, 3)`; the extension chooses JPEG (quality 95) or PNG."""
    options = {"quality": 95} if path.suffix.lower() in LOSSY_SUFFIXES else {}
    file_format = "JPEG" if options else "PNG"
    write_picture(path, Image.fromarray(image), file_format, **options)


def write_picture(path: Path, image: Image.Image, file_format: str, **options: Any) -> None:
    """Write an image of Pillow, of which the file has all or which is not there.

    Args:
        path: File to write; it is replaced in one step.
        image: What to write.
        file_format: Pillow's name of the format.
        **options: What Pillow takes for the format.

    Raises:
        OSError: It cannot be written, as on a full disk.
    """
    # Pillow itself loses the end of a JPEG that no longer fits on the disk, and says nothing.
    encoded = io.BytesIO()
    image.save(encoded, format=file_format, **options)
    with replacing(path) as draft:
        draft.write_bytes(encoded.getbuffer())
