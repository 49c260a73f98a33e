"""An image, its truth, its prediction and the errors as small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from kseg.palette import as_picture, overlay

# Colours that the colour-blind can tell apart (Okabe and Ito).
ERROR_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "missed": (230, 159, 0),
    "invented": (86, 180, 233),
    "confused": (213, 94, 160),
}
_VOID_GREY = 150
_EMPTY_GREY = 60


def error_meanings(class_names: Sequence[str]) -> dict[str, str]:
    """Return what the colours mean, in the words of a data set's classes."""
    first = class_names[0]
    meanings = {
        "missed": f"is something else, predicted as {first}",
        "invented": f"is {first}, predicted as something else",
    }
    return meanings if len(class_names) <= 2 else {**meanings, "confused": "other classes mixed up"}


def draw_views(
    image: np.ndarray | None,
    truth: np.ndarray,
    predicted: np.ndarray,
    void: int,
    longest: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the pictures "image", "truth", "prediction" and "errors", uint8 RGB `(h, w, 3)`.

    Void pixels have no colour in the truth, are grey among the errors and none of them.

    Args:
        image: `(H, W, C)` in 0..255; None draws the label maps on grey, without "image".
        truth: Label map `(H, W)`.
        predicted: Predicted label map `(H, W)`.
        void: Label of pixels that do not count.
        longest: Longest side of the pictures; larger ones are shrunk to it.
    """
    size = _size(truth.shape, longest)
    base, blend = _base(image, size), 1.0 if image is None else 0.5
    views = {
        "truth": overlay(base, _nearest(np.where(truth == void, 0, truth), size), blend),
        "prediction": overlay(base, _nearest(predicted, size), blend),
        "errors": _errors(base, truth, predicted, void),
    }
    return views if image is None else {"image": base, **views}


def _size(shape: tuple[int, ...], longest: int | None) -> tuple[int, int]:
    height, width = shape
    shrink = min(1.0, (longest or max(shape)) / max(shape))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def _base(image: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    if image is None:
        return np.full((*size, 3), _EMPTY_GREY, np.uint8)
    return as_picture(_mean(np.ascontiguousarray(image[..., :3]), size))


def _mean(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Shrink so that every pixel counts: thin errors get pale, but do not vanish."""
    if array.shape[:2] == size:
        return array
    small = cv2.resize(array, size[::-1], interpolation=cv2.INTER_AREA)
    return small.reshape(*size, *array.shape[2:])


def _nearest(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    labels = labels.astype(np.uint8)  # there are 256 colours
    if labels.shape == size:
        return labels
    return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def _errors(base: np.ndarray, truth: np.ndarray, predicted: np.ndarray, void: int) -> np.ndarray:
    wrong = (truth != void) & (truth != predicted)
    masks = {
        "missed": wrong & (predicted == 0),
        "invented": wrong & (truth == 0),
        "confused": wrong & (truth != 0) & (predicted != 0),
    }
    picture = base.mean(axis=-1, keepdims=True) / 2 + np.zeros(3)
    picture = _painted(picture, truth == void, (_VOID_GREY,) * 3, 0.5)
    for name, mask in masks.items():
        picture = _painted(picture, mask, ERROR_COLOURS[name], 1.0)
    return np.rint(picture).astype(np.uint8)


def _painted(
    picture: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int], strength: float
) -> np.ndarray:
    if not mask.any():
        return picture
    share = _mean(mask.astype(np.uint8) * 255, picture.shape[:2])[..., None] / 255 * strength
    return picture * (1 - share) + np.array(colour) * share
