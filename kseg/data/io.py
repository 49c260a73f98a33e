"""Decoding and writing of images and label maps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
LOSSY_SUFFIXES = (".jpeg", ".jpg")
_END_MARKERS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}


def read_image(path: Path) -> np.ndarray:
    """Decode an image as uint8 RGB `(H, W, 3)`; grey becomes RGB, transparency is dropped.

    Raises:
        ValueError: The file is missing, truncated or no image.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    # Decoded from memory, because OpenCV cannot open every path on every system.
    image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    if image is None:
        image = _read_with_pillow(path)
    _check_end(path, data)
    return image


def _check_end(path: Path, data: np.ndarray) -> None:
    """Look for the format's end marker; OpenCV fills what is missing with grey, silently."""
    start, tail = data[:4].tobytes(), data[-4096:].tobytes()
    for magic, end in _END_MARKERS.items():
        if start.startswith(magic) and end not in tail:
            raise ValueError(f"{path}: the image is truncated")


def _read_with_pillow(path: Path) -> np.ndarray:
    """Read what OpenCV cannot, such as GIF."""
    with open_image(path) as image:
        return np.asarray(_load(image, path).convert("RGB"))


def open_image(path: Path) -> Image.Image:
    """Open an image without decoding it, for its size and mode.

    Raises:
        ValueError: The file is missing or no image.
    """
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: this is no image file that can be decoded") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from None


def _load(image: Image.Image, path: Path) -> Image.Image:
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: the image is damaged ({error})") from None
    return image


def read_mask(path: Path) -> np.ndarray:
    """Decode a label map `(H, W)`: grey values or palette indices, never colours.

    A 1-bit mask gives 0 and 1. 16-bit masks keep their values.

    Raises:
        ValueError: The file is missing or damaged, lossy (JPEG) or a colour image.
    """
    if path.suffix.lower() in LOSSY_SUFFIXES:
        raise ValueError(f"{path}: JPEG changes label values; save label maps as PNG")
    with open_image(path) as image:
        labels = np.asarray(_load(image, path))
    if labels.ndim == 3:
        labels = _grey_of_equal_channels(labels, path)
    if labels.dtype == bool:
        return labels.astype(np.uint8)
    return labels


def _grey_of_equal_channels(labels: np.ndarray, path: Path) -> np.ndarray:
    colours = labels[..., : 3 if labels.shape[-1] >= 3 else 1]
    if (colours == colours[..., :1]).all():
        return colours[..., 0]
    raise ValueError(
        f"{path}: this is a colour image, not a label map; its pixels must be class numbers "
        "(8-bit grey or palette PNG)"
    )


def write_mask(path: Path, labels: np.ndarray, palette: np.ndarray) -> None:
    """Write a label map `(H, W)` uint8 as palette PNG: the values are the labels.

    Args:
        path: File to write; it is replaced in one step.
        labels: Label map.
        palette: uint8 colours `(256, 3)`.
    """
    image = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
    image.putpalette(palette.astype(np.uint8).tobytes())
    _replace(path, lambda temporary: image.save(temporary, format="PNG"))


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a uint8 RGB image `(H, W, 3)`; the extension chooses JPEG (quality 95) or PNG."""
    options = {"quality": 95} if path.suffix.lower() in LOSSY_SUFFIXES else {}
    file_format = "JPEG" if options else "PNG"
    picture = Image.fromarray(image)
    _replace(path, lambda temporary: picture.save(temporary, format=file_format, **options))


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
