"""Shapes to a label map, pixel for pixel as labelme draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from kseg.data.labelme.embedded import decode_mask
from kseg.data.labelme.shapes import LINE_WIDTH, POINT_RADIUS, Points, Shape, check_fits

_Draw = Callable[[ImageDraw.ImageDraw, Points, int], None]


def rasterise(
    shapes: Sequence[Shape], size: tuple[int, int], values: Callable[[Shape], int]
) -> np.ndarray:
    """Draw shapes into a label map `(H, W)` uint8 of zeros; later shapes cover earlier ones.

    Outlines belong to polygons, rectangles and circles, lines are 10 pixels wide, points are
    discs of radius 5, as in labelme.

    Args:
        shapes: The shapes in the order of drawing.
        size: Height and width of the image.
        values: The label, 0..255, of a shape.

    Raises:
        ValueError: A shape lies outside, or an embedded mask is damaged; see `check_fits` and
            `decode_mask`.
    """
    canvas = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    for shape in shapes:
        check_fits(shape, size)
        if shape.kind == "mask":
            corner, mask = decode_mask(shape, size)
            canvas.paste(values(shape), corner, Image.fromarray(mask))
        else:
            _DRAW[shape.kind](draw, shape.points, values(shape))
    return np.array(canvas)


def _polygon(draw: ImageDraw.ImageDraw, points: Points, value: int) -> None:
    draw.polygon(points, fill=value, outline=value)


def _rectangle(draw: ImageDraw.ImageDraw, points: Points, value: int) -> None:
    # Pillow wants the upper left corner first; users drag from any.
    xs, ys = (sorted(axis) for axis in zip(*points, strict=True))
    draw.rectangle((xs[0], ys[0], xs[1], ys[1]), fill=value, outline=value)


def _line(draw: ImageDraw.ImageDraw, points: Points, value: int) -> None:
    draw.line(points, fill=value, width=LINE_WIDTH)


def _circle(draw: ImageDraw.ImageDraw, points: Points, value: int) -> None:
    centre, rim = points
    # The square root of squares, not hypot: the last bit decides about pixels at the rim.
    _disc(draw, centre, math.sqrt((centre[0] - rim[0]) ** 2 + (centre[1] - rim[1]) ** 2), value)


def _point(draw: ImageDraw.ImageDraw, points: Points, value: int) -> None:
    _disc(draw, points[0], POINT_RADIUS, value)


def _disc(
    draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, value: int
) -> None:
    (x, y) = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=value, outline=value)


_DRAW: Mapping[str, _Draw] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "oriented_rectangle": _polygon,
    "circle": _circle,
    "line": _line,
    "linestrip": _line,
    "point": _point,
}
