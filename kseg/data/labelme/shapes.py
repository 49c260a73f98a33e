"""One shape of an annotation, checked: its kind, its label and its points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kseg.data.labelme.strict_json import quote

Points = tuple[tuple[float, float], ...]

# How many points a shape has, at least and at most.
POINT_COUNTS: Mapping[str, tuple[int, int]] = {
    "polygon": (3, 20_000),
    "rectangle": (2, 2),
    "oriented_rectangle": (4, 4),
    "circle": (2, 2),
    "line": (2, 2),
    "linestrip": (2, 20_000),
    "point": (1, 1),
    "mask": (2, 2),
}

LINE_WIDTH = 10
POINT_RADIUS = 5


@dataclass(frozen=True)
class Shape:
    """A shape of an annotation.

    Attributes:
        where: File, index and label, for messages.
        label: Its label.
        kind: A key of `POINT_COUNTS`.
        points: x and y of each point in pixels of the image.
        mask: PNG in base64 that fills the box between the two points, for the kind "mask".
    """

    where: str
    label: str
    kind: str
    points: Points
    mask: str | None = None


def parse_shape(raw: Any, where: str) -> Shape:
    """Check one element of the list `shapes`.

    Args:
        raw: The decoded JSON value.
        where: File and index for messages.

    Raises:
        ValueError: A key is missing or of the wrong type, the kind is unknown, the number of
            points does not suit it, or a coordinate is no finite number.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"{where}: a shape must be an object, got {quote(raw)}")
    label = _label(raw.get("label"), where)
    where = f"{where} ({quote(label)})"
    # Files before labelme 3.0 have polygons only and do not say so.
    kind = "polygon" if raw.get("shape_type") is None else raw["shape_type"]
    if not isinstance(kind, str) or kind not in POINT_COUNTS:
        raise ValueError(
            f"{where}: shape_type must be one of {', '.join(POINT_COUNTS)}, got {quote(kind)}"
        )
    points = _points(raw.get("points"), kind, where)
    return Shape(where, label, kind, points, _mask(raw.get("mask"), kind, where))


def _label(label: Any, where: str) -> str:
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"{where}: label must be a text that is not empty, got {quote(label)}")
    label = label.strip()
    # Labels are lines of a UTF-8 file and names in reports.
    if not label.isprintable():
        raise ValueError(f"{where}: label {quote(label)} holds characters that cannot be printed")
    return label


def _mask(mask: Any, kind: str, where: str) -> str | None:
    if kind != "mask":
        return None
    if not isinstance(mask, str):
        raise ValueError(f"{where}: mask must be a PNG as base64 text, got {quote(mask)}")
    return mask


def _points(raw: Any, kind: str, where: str) -> Points:
    if not isinstance(raw, list):
        raise ValueError(f"{where}: points must be a list of [x, y], got {quote(raw)}")
    least, most = POINT_COUNTS[kind]
    # Some programs write the four corners of a rectangle.
    corners = kind == "rectangle" and len(raw) == 4
    if not least <= len(raw) <= most and not corners:
        count = f"{least}" if least == most else f"{least} to {most}"
        raise ValueError(f"{where}: a {kind} must have {count} points, got {len(raw)}")
    points = tuple(_point(point, where) for point in raw)
    return _opposite_corners(points, where) if corners else points


def _point(raw: Any, where: str) -> tuple[float, float]:
    if not isinstance(raw, list) or len(raw) != 2 or not all(map(_is_number, raw)):
        raise ValueError(f"{where}: a point must be [x, y] of two finite numbers, got {quote(raw)}")
    return float(raw[0]), float(raw[1])


def _is_number(value: Any) -> bool:
    # The bound also refuses infinity, and integers that are too large for a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _opposite_corners(points: Points, where: str) -> Points:
    xs, ys = ({point[axis] for point in points} for axis in (0, 1))
    if len(set(points)) != 4 or len(xs) != 2 or len(ys) != 2:
        raise ValueError(
            f"{where}: the four points of this rectangle are not the corners of an upright one; "
            "make it a polygon"
        )
    return ((min(xs), min(ys)), (max(xs), max(ys)))


def check_fits(shape: Shape, size: tuple[int, int]) -> None:
    """Check a shape's place in an image of `size` (height, width).

    Points may lie outside by up to the longer side, since circles and clipped shapes do.

    Raises:
        ValueError: A point is further away, the whole shape lies outside, or a mask does not lie
            in the image as a whole.
    """
    height, width = size
    reach = max(size)
    for x, y in shape.points:
        if not (-reach <= x <= width + reach and -reach <= y <= height + reach):
            raise ValueError(
                f"{shape.where}: the point ({x:g}, {y:g}) is far outside the image of "
                f"{width}x{height} pixels; was the image resized after annotating?"
            )
    (left, right), (top, bottom) = _extent(shape)
    if right < 0 or bottom < 0 or left > width or top > height:
        raise ValueError(
            f"{shape.where}: the shape lies outside the image of {width}x{height} pixels"
        )


def _extent(shape: Shape) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return least and largest x, least and largest y of what is drawn."""
    if shape.kind == "circle":
        (x, y), _ = shape.points
        radius = math.dist(*shape.points)
        return (x - radius, x + radius), (y - radius, y + radius)
    margin = {"point": POINT_RADIUS, "line": LINE_WIDTH / 2, "linestrip": LINE_WIDTH / 2}
    more = margin.get(shape.kind, 0)
    xs, ys = zip(*shape.points, strict=True)
    return (min(xs) - more, max(xs) + more), (min(ys) - more, max(ys) + more)
