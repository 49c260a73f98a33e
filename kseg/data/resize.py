"""Fitting images into the network's input size, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kseg.data.dataset import Sample
from kseg.data.planes import by_fours

STRETCH, LETTERBOX = 1, 2
BORDER_GREY = 128


@dataclass(frozen=True)
class Placement:
    """Where the image lies in the network's input, in pixels of the input."""

    top: int
    left: int
    height: int
    width: int


def place(size: tuple[int, int], target: tuple[int, int], resize_op: int) -> Placement:
    """Return where an image of `size` (height, width) goes in an input of `target`.

    Args:
        size: Height and width of the image.
        target: Height and width of the input.
        resize_op: 1 fills the input, 2 keeps the shape of the image and centres it.
    """
    if resize_op == STRETCH:
        return Placement(0, 0, *target)
    scale = min(target[0] / size[0], target[1] / size[1])
    height, width = (
        max(1, min(limit, round(length * scale)))
        for length, limit in zip(size, target, strict=True)
    )
    return Placement((target[0] - height) // 2, (target[1] - width) // 2, height, width)


def resize_sample(sample: Sample, target: tuple[int, int], resize_op: int, void: int) -> Sample:
    """Fit a sample into `target` (height, width); the border of a letterbox gets label `void`."""
    placement = place(sample.image.shape[:2], target, resize_op)
    mask = None
    if sample.mask is not None:
        mask = _fit(sample.mask, placement, target, void, cv2.INTER_NEAREST_EXACT)
    return Sample(resize_image(sample.image, target, resize_op), mask, sample.name)


def resize_image(image: np.ndarray, target: tuple[int, int], resize_op: int) -> np.ndarray:
    """Fit a uint8 image `(H, W, C)` into `target`; the border of a letterbox is grey 128."""
    placement = place(image.shape[:2], target, resize_op)
    old, new = image.shape[:2], (placement.height, placement.width)
    interpolation = interpolation_for(old, new)
    least = min(old[0], new[0]), min(old[1], new[1])
    if interpolation == cv2.INTER_AREA and least != new:
        # Where one side grows, OpenCV's means over areas skip pixels of the other one.
        image = _resized(image, least, interpolation)
        interpolation = cv2.INTER_LINEAR
    return _fit(image, placement, target, BORDER_GREY, interpolation)


def interpolation_for(old: tuple[int, ...], new: tuple[int, int]) -> int:
    """Return OpenCV's number of what fits an image of a size (height, width) into another."""
    # The mean over areas takes four times as long as bilinear interpolation.
    skips = any(_skips(*lengths) for lengths in zip(old, new, strict=True))
    return cv2.INTER_AREA if skips else cv2.INTER_LINEAR


def _skips(old: int, new: int) -> bool:
    """Tell whether bilinear shrinking would nearly skip pixels, so that thin objects flicker.

    Down to two thirds every pixel keeps at least three quarters of its share; at exactly a half
    the samples lie between two pixels each and are their mean.
    """
    return 2 * old > 3 * new and old != 2 * new


def _fit(
    array: np.ndarray, placement: Placement, target: tuple[int, int], border: int, mode: int
) -> np.ndarray:
    size = placement.height, placement.width
    if array.shape[:2] != size:
        array = _resized(array, size, mode)
    if size == target:
        return array
    fitted = np.full((*target, *array.shape[2:]), border, array.dtype)
    rows = slice(placement.top, placement.top + placement.height)
    columns = slice(placement.left, placement.left + placement.width)
    fitted[rows, columns] = array
    return fitted


def _resized(array: np.ndarray, size: tuple[int, int], mode: int) -> np.ndarray:
    return by_fours(lambda part: cv2.resize(part, size[::-1], interpolation=mode), array)


def scores_to_size(scores: np.ndarray, size: tuple[int, int], resize_op: int) -> np.ndarray:
    """Bring class scores `(h, w, C)` of the network back to an image of `size`: `(H, W, C)`.

    The border of a letterbox is cut off first. Scores, not labels, are interpolated, so that
    edges are smooth and no label is invented.
    """
    placement = place(size, scores.shape[:2], resize_op)
    rows = slice(placement.top, placement.top + placement.height)
    columns = slice(placement.left, placement.left + placement.width)
    inner = scores[rows, columns]
    if inner.shape[:2] == tuple(size):
        return inner
    planes = [
        cv2.resize(inner[..., index], size[::-1], interpolation=cv2.INTER_LINEAR)
        for index in range(inner.shape[-1])
    ]
    return np.stack(planes, axis=-1)
