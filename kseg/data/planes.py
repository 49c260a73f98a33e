"""OpenCV on images of any number of channels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

# Other types become int32 for OpenCV.
_LABEL_TYPES = (np.uint8, np.uint16, np.int16, np.int32)
Arrays = Callable[[np.ndarray], np.ndarray]


def by_fours(function: Arrays, image: np.ndarray) -> np.ndarray:
    """Apply a function of OpenCV to an image `(H, W, C)`: some take at most four channels.

    A label map `(H, W)` is passed on as it is.
    """
    if image.ndim == 2 or image.shape[2] in (3, 4):
        return function(image)
    parts = [image[..., first : first + 4] for first in range(0, image.shape[2], 4)]
    done = [function(np.ascontiguousarray(part)) for part in parts]
    return np.concatenate([one.reshape(*one.shape[:2], -1) for one in done], axis=2)


def as_rgba(function: Arrays, image: np.ndarray) -> np.ndarray:
    """Apply a function of OpenCV to an image `(H, W, C)` with a fourth channel beside RGB.

    OpenCV samples four bytes a pixel so much faster than three that this pays for the copies.
    """
    if image.shape[2] != 3 or image.dtype != np.uint8:
        return by_fours(function, image)
    changed = function(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA))
    return cv2.cvtColor(changed, cv2.COLOR_RGBA2RGB)


def as_labels(function: Arrays, labels: np.ndarray) -> np.ndarray:
    """Apply a function of OpenCV to a label map of any integer type."""
    known = labels.dtype in _LABEL_TYPES
    plain = labels if known else labels.astype(np.int32)
    return function(np.ascontiguousarray(plain)).astype(labels.dtype, copy=False)
