"""Things that lie on the ground or mark it and are no parts: all of it is background."""

from collections.abc import Callable

import cv2
import numpy as np

from kseg.data.parts.ground import draw_ground

# Fractional bits of OpenCV's drawing coordinates.
_SHIFT = 4

Item = Callable[[np.random.Generator, np.ndarray, float], None]


def _fixed(values: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(values) * 2**_SHIFT).astype(np.int32)


def _random_point(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    return rng.uniform(0, 1, 2) * (canvas.shape[1], canvas.shape[0])


def _stain(canvas: np.ndarray, mask: np.ndarray, colour: np.ndarray, opacity: float) -> None:
    """Mixes a colour into the canvas (in place) where the uint8 mask is set."""
    x, y, width, height = cv2.boundingRect(mask)
    box = np.s_[y : y + height, x : x + width]
    weight = mask[box][..., None].astype(np.float32) * np.float32(opacity / 255)
    canvas[box] += weight * (np.asarray(colour, np.float32) - canvas[box])


def _ellipse(mask: np.ndarray, centre: np.ndarray, axes: np.ndarray, angle: float) -> None:
    cv2.ellipse(
        mask, _fixed(centre).tolist(), _fixed(axes).tolist(), angle, 0, 360, 255, -1,
        cv2.LINE_AA, _SHIFT,
    )  # fmt: skip


def _random_colour(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.25:
        return np.full(3, rng.uniform(0.15, 0.95))
    hue = np.array([[[rng.uniform(0, 360), rng.uniform(0.3, 0.9), rng.uniform(0.35, 0.95)]]])
    return cv2.cvtColor(hue.astype(np.float32), cv2.COLOR_HSV2RGB)[0, 0]


def _stroke(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    """Draws a scratch (bright or dark) or a pencil line, straight or slightly bent."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    start = _random_point(rng, canvas)
    heading, length = rng.uniform(0, 2 * np.pi), rng.uniform(25, 150) * scale
    steps = np.linspace(0, 1, 12)
    angles = heading + rng.normal(0, 0.35) * steps
    points = start + np.stack([np.cos(angles), np.sin(angles)], 1) * (steps * length)[:, None]
    width = int(rng.integers(1, max(2, round(2.4 * scale)) + 1))
    cv2.polylines(mask, [_fixed(points)], False, 255, width, cv2.LINE_AA, _SHIFT)
    tone = rng.choice([0.12, 0.9]) + rng.uniform(-0.08, 0.08)
    _stain(canvas, mask, np.full(3, tone), rng.uniform(0.3, 0.8))


def _sticker(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    mask = np.zeros(canvas.shape[:2], np.uint8)
    centre, axes = _random_point(rng, canvas), rng.uniform(7, 24, 2) * scale
    angle = rng.uniform(0, 180)
    if rng.random() < 0.5:
        _ellipse(mask, centre, axes, angle)
    else:
        corners = cv2.boxPoints((centre.tolist(), (2 * axes).tolist(), angle))
        cv2.fillConvexPoly(mask, _fixed(corners), 255, cv2.LINE_AA, _SHIFT)
    _stain(canvas, cv2.GaussianBlur(mask, (0, 0), 1.2), np.zeros(3), 0.3)
    colour = _random_colour(rng)
    _stain(canvas, mask, colour, rng.uniform(0.75, 0.97))
    if rng.random() < 0.4:
        _write(rng, canvas, centre - axes * (0.7, 0), scale, 1 - colour)


def _pebbles(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    """Scatters a few crumbs, each with a small shadow and a lit side."""
    base = rng.uniform(0.2, 0.85) * rng.uniform(0.85, 1.15, 3)
    middle = _random_point(rng, canvas)
    for _ in range(int(rng.integers(3, 9))):
        centre = middle + rng.normal(0, 22 * scale, 2)
        axes, angle = rng.uniform(1.2, 4.5, 2) * max(scale, 0.5), rng.uniform(0, 180)
        for offset, size, factor in ((1.0, 1.1, 0.3), (0.0, 1.0, 1.0), (-0.35, 0.5, 1.25)):
            mask = np.zeros(canvas.shape[:2], np.uint8)
            _ellipse(mask, centre + offset * axes.min() * 0.8, axes * size, angle)
            _stain(canvas, mask, base * factor, 0.55 if factor < 1 else 0.9)


def _screw_hole(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    centre, radius = _random_point(rng, canvas), rng.uniform(3.5, 8) * scale
    for size, tone in ((1.18, rng.uniform(0.4, 0.95)), (1.0, 0.06), (0.72, 0.12)):
        mask = np.zeros(canvas.shape[:2], np.uint8)
        _ellipse(mask, centre + (1 - size) * radius * 0.4, np.full(2, radius * size), 0.0)
        _stain(canvas, mask, np.full(3, tone), 0.85)


def _print(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    colour = np.full(3, rng.choice([0.08, 0.92]))
    _write(rng, canvas, _random_point(rng, canvas) * (0.7, 1), scale, colour)


def _write(
    rng: np.random.Generator, canvas: np.ndarray, at: np.ndarray, scale: float, colour: np.ndarray
) -> None:
    mask = np.zeros(canvas.shape[:2], np.uint8)
    text = "".join(rng.choice(list("ABCDEFHKLMNPRSTX0123456789-./"), int(rng.integers(3, 9))))
    size, origin = rng.uniform(0.3, 0.6) * scale, np.rint(at).astype(int).tolist()
    cv2.putText(mask, text, origin, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    _stain(canvas, mask, colour, rng.uniform(0.5, 0.9))


_ITEMS: tuple[tuple[Item, int], ...] = (
    (_stroke, 3), (_sticker, 1), (_pebbles, 1), (_screw_hole, 1), (_print, 1),
)  # fmt: skip


def lay_sheet(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    """Covers a large part of the ground by a sheet of another material, in place.

    Args:
        rng: The source of randomness.
        canvas: A float32 RGB array (height, width, 3), about 0 to 1.
        scale: Size of the sheet; 1 suits an image of 224 x 224 pixels.
    """
    mask = np.zeros(canvas.shape[:2], np.uint8)
    centre, sides = _random_point(rng, canvas), rng.uniform(110, 230, 2) * scale
    corners = cv2.boxPoints((centre.tolist(), sides.tolist(), rng.uniform(0, 180)))
    cv2.fillConvexPoly(mask, _fixed(corners), 255, cv2.LINE_AA, _SHIFT)
    _stain(canvas, cv2.GaussianBlur(mask, (0, 0), 2.5), np.zeros(3), 0.35)
    sheet = draw_ground(rng, (canvas.shape[0], canvas.shape[1]), scale)
    weight = mask[..., None].astype(np.float32) / 255
    canvas += weight * (sheet - canvas)


def add_clutter(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> None:
    """Draws scratches, pencil lines, stickers, pebbles, dark holes and printed text, in place.

    Args:
        rng: The source of randomness; it decides how many of each there are, if any.
        canvas: A float32 RGB array (height, width, 3), about 0 to 1.
        scale: Size of the items; 1 suits an image of 224 x 224 pixels.
    """
    for draw, most in _ITEMS:
        for _ in range(int(rng.integers(0, most + 1))):
            draw(rng, canvas, scale)
