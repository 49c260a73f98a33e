"""Segmentations of COCO annotations, checked and drawn: polygons and run-length codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kseg.data.rle import decode_runs, run_lengths

# pycocotools walks along every edge in steps of a fifth of a pixel and keeps each step in memory.
_LONGEST_OUTLINE = 2_000_000


class Shape(NamedTuple):
    """One annotation.

    Attributes:
        label: Class number.
        crowd: It outlines a group of objects roughly.
        segmentation: Polygons, or a run-length code, as in the file.
        where: File and id, for messages.
    """

    label: int
    crowd: bool
    segmentation: Any
    where: str


class Outline(NamedTuple):
    """A checked segmentation: polygons `[x, y, x, y, ...]` in pixels, or run lengths.

    Attributes:
        area: Pixels that it covers, about.
        polygons: The polygons, or None.
        runs: Lengths of runs of 0 and 1 in turn, down the columns, or None.
    """

    area: float
    polygons: list[list[float]] | None = None
    runs: list[int] | None = None


def draw_shapes(shapes: Sequence[Shape], size: tuple[int, int], void: int) -> np.ndarray:
    """Draw annotations as a label map `(H, W)` uint8 over background 0.

    The order of annotations has no meaning in COCO, so large ones are drawn first and small ones
    stay visible. Pixels of a crowd that belong to no single object become `void`, as those regions
    count nowhere in COCO's own evaluation.

    Raises:
        ValueError: A segmentation is damaged; the message names file and annotation.
    """
    mask = np.zeros(size, np.uint8)
    outlines = [_outline(shape, size) for shape in shapes]
    order = sorted(range(len(shapes)), key=lambda i: (not shapes[i].crowd, -outlines[i].area))
    for index in order:
        value = void if shapes[index].crowd else shapes[index].label
        mask[_covered(outlines[index], size)] = value
    return mask


def _outline(shape: Shape, size: tuple[int, int]) -> Outline:
    try:
        if isinstance(shape.segmentation, list) and shape.segmentation:
            polygons = [_polygon(one, size) for one in shape.segmentation]
            return Outline(sum(map(_polygon_area, polygons)), polygons)
        if isinstance(shape.segmentation, dict):
            runs = _runs(shape.segmentation, size)
            return Outline(sum(runs[1::2]), runs=runs)
        raise ValueError("there is no segmentation, so no pixel is known to be of the class")
    except ValueError as error:
        raise ValueError(f"{shape.where}: {error}") from None


def _runs(code: dict[str, Any], size: tuple[int, int]) -> list[int]:
    if code.get("size") != list(size):
        raise ValueError(
            f"the run-length code is of size {code.get('size')!r:.40}, the image is {list(size)}"
        )
    return run_lengths(code.get("counts"), size)


def _polygon(points: Any, size: tuple[int, int]) -> list[float]:
    """Return a polygon whose coordinates are numbers not far from the image.

    Two points, which some programs write for a mere line, cover nothing; three make an area.
    """
    if not isinstance(points, list) or len(points) < 4 or len(points) % 2:
        raise ValueError(f"a polygon is a list x, y, x, y, ... of points, not {points!r:.40}")
    limit = 2 * max(size)
    for value in points:
        if not isinstance(value, int | float) or not -limit <= value <= limit:
            raise ValueError(f"the coordinate {value!r:.40} is far outside the image or no number")
    corners = np.array(points, np.float64).reshape(-1, 2)
    length = np.abs(np.diff(corners, axis=0, append=corners[:1])).max(1).sum()
    if length > _LONGEST_OUTLINE:
        raise ValueError(f"the outline of a polygon is {length:.0f} pixels long")
    return corners.ravel().tolist()


def _polygon_area(polygon: list[float]) -> float:
    x, y = np.array(polygon).reshape(-1, 2).T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


def _covered(outline: Outline, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels `(H, W)` bool inside an outline."""
    if outline.runs is not None:
        return decode_runs(outline.runs, size)
    inside = [polygon for polygon in outline.polygons or [] if len(polygon) >= 6]
    if not inside:
        return np.zeros(size, bool)
    codec = _pycocotools()
    return codec.decode(codec.merge(codec.frPyObjects(inside, *size))).astype(bool)


def _pycocotools() -> Any:
    try:
        from pycocotools import mask
    except ImportError:
        raise ValueError(
            "COCO polygons need the package pycocotools: pip install 'kseg[coco]'"
        ) from None
    return mask
