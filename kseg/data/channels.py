"""Bringing decoded images to the number of channels and the range that a model takes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from kseg.data.decode import Decoded

_TO_8_BIT_RANGE = 257
"""65535 / 255: 16-bit values divided by it span 0..255."""


def to_channels(decoded: Decoded, channels: int, path: Path) -> np.ndarray:
    """Return an image with `channels` channels.

    Grey becomes RGB by copying, RGB becomes grey by the weights of Rec. 601, and transparency is
    dropped. Nothing else can be made from another number of channels.

    Raises:
        ValueError: The file has another number of channels.
    """
    image = decoded.array
    if decoded.alpha and image.shape[-1] != channels:
        image = image[..., :-1]
    count = image.shape[-1]
    if count == channels:
        return image
    if count == 1 and channels == 3:
        return np.repeat(image, 3, axis=-1)
    if count == 3 and channels == 1:
        return _grey(image)
    raise ValueError(
        f"{path}: the image has {decoded.array.shape[-1]} channels, which cannot become "
        f"{channels}; train with --image_channels {decoded.array.shape[-1]}"
    )


def _grey(image: np.ndarray) -> np.ndarray:
    if image.dtype in (np.uint8, np.uint16, np.float32):
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    return (image @ np.array([0.299, 0.587, 0.114]))[..., None]


def to_byte_range(image: np.ndarray, path: Path) -> np.ndarray:
    """Return an image in 0..255: uint8 as it is, everything deeper as float32.

    1-bit files become 0 and 255, and 16-bit values are divided by 257. Floating-point files must
    be in 0..255 already, since the brightest value that they could hold is known to no one.

    Raises:
        ValueError: Values that are not finite, out of range or of another type.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype == bool:
        return image.astype(np.uint8) * 255
    if image.dtype == np.uint16:
        return image.astype(np.float32) / _TO_8_BIT_RANGE
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"{path}: the values are {image.dtype}; save images as uint8 (0..255) or uint16 "
            "(0..65535)"
        )
    _check_float(image, path)
    return image.astype(np.float32)


def _check_float(image: np.ndarray, path: Path) -> None:
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 255):
        raise ValueError(
            f"{path}: the values are {low:g}..{high:g}; bring floating-point images to 0..255"
        )
    if 0 < high <= 1:
        raise ValueError(
            f"{path}: the values are {low:g}..{high:g}, which would be black; multiply them by 255"
        )
