"""Looking up the pixels of a moved image and of its label map, by OpenCV."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np

from kseg.data.augment.placing import Placing
from kseg.data.dataset import Sample
from kseg.data.planes import as_labels, as_rgba, by_fours
from kseg.data.resize import BORDER_GREY

# As far from a half as from one.
_HALVED_BELOW = 0.5**0.5


def resample_image(image: np.ndarray, placing: Placing, *, reflect: bool) -> np.ndarray:
    """Return the moved image, bilinear, from means over 2x2 pixels first where it shrinks much."""
    options: dict[str, Any] = {"borderMode": cv2.BORDER_REFLECT_101}
    if not reflect:
        options = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": (BORDER_GREY,) * 4}
    small = _shrunk(image, placing.scale)
    shares = np.array(small.shape[1::-1]) / image.shape[1::-1]
    return as_rgba(lambda part: _look_up(part, placing, shares, cv2.INTER_LINEAR, options), small)


def resample_labels(sample: Sample, placing: Placing, void: int) -> np.ndarray:
    """Return the moved label map: each pixel has one of its labels, or `void` outside.

    Raises:
        ValueError: The type of the label map cannot hold `void`.
    """
    options: dict[str, Any] = {"borderMode": cv2.BORDER_CONSTANT}
    options["borderValue"] = holdable(sample, void)
    same = np.ones(2)
    return as_labels(
        lambda labels: _look_up(labels, placing, same, cv2.INTER_NEAREST, options), sample.labels
    )


def _shrunk(image: np.ndarray, scale: float) -> np.ndarray:
    """Halve an image as long as that brings it nearer to `scale`, as textures are (mip maps).

    Bilinear sampling of the whole image would leave pixels out, and means over areas of any other
    size are slow.
    """
    reached = 1.0
    while scale < reached * _HALVED_BELOW and max(image.shape[:2]) > 1:
        half = [max(1, round(length / 2)) for length in image.shape[1::-1]]
        image = by_fours(partial(cv2.resize, dsize=half, interpolation=cv2.INTER_AREA), image)
        reached /= 2
    return image


def _look_up(
    array: np.ndarray, placing: Placing, shares: np.ndarray, mode: int, options: dict[str, Any]
) -> np.ndarray:
    """Sample an array whose sides are `shares` (x, y) of those of the sample."""
    if placing.field is not None:
        numbers = placing.map
        if (shares != 1).any():
            numbers = ((numbers + 0.5) * shares - 0.5).astype(np.float32)
        return cv2.remap(array, numbers, None, mode, **options)  # type: ignore[call-overload]
    matrix = _shifted(-0.5) @ np.diag([*shares, 1.0]) @ placing.inverse @ _shifted(0.5)
    size, flags = placing.size[::-1], mode | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(array, matrix, size, flags=flags, **options)


def _shifted(by: float) -> np.ndarray:
    return np.array([[1, 0, by], [0, 1, by], [0, 0, 1.0]])


def holdable(sample: Sample, void: int) -> int:
    """Return `void`, or raise ValueError where the type of the label map cannot hold it."""
    kind = sample.labels.dtype
    limits = np.iinfo(kind) if kind.kind in "iu" else None
    if limits is None or not limits.min <= void <= limits.max:
        raise ValueError(
            f"{sample.name}: a label map of {kind} cannot hold the void label {void}; use uint8"
        )
    return void


def turn_whole(sample: Sample, matrix: np.ndarray) -> Sample | None:
    """Return the sample mirrored or turned where the matrix does no more than that, else None."""
    height, width = sample.image.shape[:2]
    turned = matrix[0, 0] == 0
    signs = np.sign(matrix[[0, 1], [1, 0] if turned else [0, 1]])
    linear = np.diag(signs)[:, ::-1] if turned else np.diag(signs)
    offsets = np.where(signs < 0, (width, height), 0)
    if (turned and height != width) or not np.array_equal(
        matrix, np.vstack([np.column_stack([linear, offsets]), [0, 0, 1]])
    ):
        return None
    turn = partial(_turn, turned=turned, across=signs[0] < 0, down=signs[1] < 0)
    mask = None if sample.mask is None else as_labels(turn, sample.mask)
    return replace(sample, image=by_fours(turn, sample.image), mask=mask)


def _turn(array: np.ndarray, *, turned: bool, across: bool, down: bool) -> np.ndarray:
    if turned:
        array = cv2.transpose(array)
    if across and down:
        return cv2.flip(array, -1)
    return cv2.flip(array, 1 if across else 0) if across or down else array
