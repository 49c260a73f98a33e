"""Height maps of the five kinds of parts, drawn at a raised resolution.

Lengths are in units of the nominal radius of a part, so that a washer reaches from -1 to 1.
"""

from collections.abc import Callable

import cv2
import numpy as np

from kseg.data.parts.frame import Frame, Shape

PART_NAMES = ("washer", "nut", "bolt", "gear", "spring")


def _edge_rounding(mask: np.ndarray, width: float) -> np.ndarray:
    """Rises from 0 at the rim of the mask to 1 at ``width`` pixels inside it."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return 1 - np.square(1 - np.minimum(distance / np.float32(width), 1))


def _washer(frame: Frame, rng: np.random.Generator) -> Shape:
    rho = np.hypot(frame.u, frame.v)
    mask = (rho < 1) & (rho > rng.uniform(0.34, 0.52))
    if rng.random() < 0.12:
        mask &= (np.abs(frame.v - 0.25 * frame.u) > 0.1) | (frame.u < 0)
    mask = mask.astype(np.uint8)
    return Shape(mask, 0.08 * _edge_rounding(mask, 0.1 * frame.unit), marks="circles")


def _nut(frame: Frame, rng: np.random.Generator) -> Shape:
    rho, bore = np.hypot(frame.u, frame.v), rng.uniform(0.36, 0.48)
    normals = [(np.cos(angle), np.sin(angle)) for angle in np.pi / 3 * np.arange(3)]
    flats = [np.abs(np.float32(c) * frame.u + np.float32(s) * frame.v) for c, s in normals]
    mask = ((np.maximum.reduce(flats) < 0.87) & (rho > bore)).astype(np.uint8)
    height = 0.4 + 0.07 * _edge_rounding(mask, 0.08 * frame.unit)
    if rng.random() < 0.7:
        height -= 0.7 * np.maximum(rho - 0.84, 0)
    height -= rng.uniform(0.4, 1.2) * np.maximum(bore + 0.1 - rho, 0)
    return Shape(mask, height, marks="circles" if rng.random() < 0.5 else "lines")


def _bolt(frame: Frame, rng: np.random.Generator) -> Shape:
    width, depth, pitch = rng.uniform(0.3, 0.38), rng.uniform(0.04, 0.055), rng.uniform(0.14, 0.18)
    half, head = rng.uniform(1.15, 1.55), rng.uniform(0.36, 0.5)
    neck = head - half
    thread_start = neck + (rng.uniform(0.3, 0.9) if rng.random() < 0.5 else 0.05)
    ridge = np.abs(2 * ((frame.u / pitch + 0.3 * frame.v / width) % 1) - 1)
    radius = width - depth * np.where(frame.u > thread_start, ridge, 0)
    radius = np.minimum(radius, width - 0.12 + half - frame.u)
    shaft = (np.abs(frame.v) < radius) & (frame.u >= neck - 0.02) & (frame.u < half)
    shaft_height = np.sqrt(np.maximum(np.square(radius) - np.square(frame.v), 0))
    top = _round_head if rng.random() < 0.35 else _hex_head
    inside, head_height = top(frame, neck, head, rng.uniform(0.54, 0.66))
    mask = (shaft | inside).astype(np.uint8)
    return Shape(mask, np.where(inside, head_height, shaft_height).astype(np.float32))


def _hex_head(
    frame: Frame, neck: float, length: float, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Seen from the side, a hexagon shows a flat face between two sloping ones."""
    depth = neck - frame.u
    across = np.abs(frame.v)
    chamfered = width - np.maximum(depth - 0.75 * length, 0)
    inside = (depth > 0) & (depth < length) & (across < chamfered)
    height = width - 0.6 * np.maximum(across - 0.5 * width, 0)
    height -= 1.5 * np.maximum(depth - 0.85 * length, 0) + 1.5 * np.maximum(0.05 - depth, 0)
    return inside, height


def _round_head(
    frame: Frame, neck: float, length: float, width: float
) -> tuple[np.ndarray, np.ndarray]:
    depth = neck - frame.u
    reach = np.square(depth / np.float32(length)) + np.square(frame.v / np.float32(width))
    return (depth > 0) & (reach < 1), width * np.sqrt(np.maximum(1 - reach, 0))


def _gear(frame: Frame, rng: np.random.Generator) -> Shape:
    rho, theta = np.hypot(frame.u, frame.v), np.arctan2(frame.v, frame.u)
    teeth, bore = int(rng.integers(8, 14)), rng.uniform(0.2, 0.34)
    wave = np.abs(2 * ((theta * np.float32(teeth / (2 * np.pi))) % 1) - 1)
    rim = 1 - rng.uniform(0.18, 0.24) * np.clip((wave - 0.36) / 0.26, 0, 1)
    mask = (rho < rim) & (rho > bore)
    if rng.random() < 0.15:
        holes = int(rng.integers(4, 7))
        spots = 2 * np.pi * np.arange(holes) / holes
        centres = [(0.55 * np.cos(spot), 0.55 * np.sin(spot)) for spot in spots]
        for x, y in centres:
            mask &= np.square(frame.u - x) + np.square(frame.v - y) > 0.13**2
    mask = mask.astype(np.uint8)
    height = 0.3 + 0.07 * _edge_rounding(mask, 0.08 * frame.unit)
    if rng.random() < 0.65:
        web = np.minimum(rho - bore - 0.14, 0.68 - rho)
        height -= 0.12 * np.clip(web / 0.06, 0, 1)
    return Shape(mask, height, marks="circles")


def _spring(frame: Frame, rng: np.random.Generator) -> Shape:
    wire, pitch = rng.uniform(0.28, 0.34), rng.uniform(0.95, 1.1)
    turns = 3
    amplitude, lean = rng.uniform(0.5, 0.66), rng.uniform(0.0, 0.1)
    mask = np.zeros(frame.u.shape, np.uint8)
    height = np.zeros(frame.u.shape, np.float32)
    # The strands behind come first, so that those in front cover them.
    for side, level in ((1, 0.0), (0, 0.45)):
        strands = np.zeros_like(mask)
        for index in range(side, 2 * turns, 2):
            phase = np.pi * (index + np.linspace(0, 1, 24))
            along = pitch * (phase / (2 * np.pi) - turns / 2) + lean * np.sin(phase)
            points = frame.pixels(along, amplitude * np.cos(phase))
            cv2.polylines(strands, [np.rint(points * 16).astype(np.int32)], False, 1,
                          round(wire * frame.unit), cv2.LINE_8, 4)  # fmt: skip
        distance = cv2.distanceTransform(strands, cv2.DIST_L2, 5) / np.float32(frame.unit)
        inner = np.square(np.maximum(wire / 2 - distance, 0))
        tube = level + np.sqrt(np.maximum((wire / 2) ** 2 - inner, 0))
        height = np.where(strands > 0, tube, height)
        mask |= strands
    return Shape(mask, height, marks="none")


_SHAPES: dict[str, tuple[Callable[[Frame, np.random.Generator], Shape], float]] = {
    "washer": (_washer, 1.05),
    "nut": (_nut, 1.05),
    "bolt": (_bolt, 1.75),
    "gear": (_gear, 1.05),
    "spring": (_spring, 2.02),
}


def draw_shape(
    kind: str, rng: np.random.Generator, unit: float, angle: float, multiple: int = 1
) -> tuple[Frame, Shape]:
    """Draws one part of a kind with random proportions.

    Args:
        kind: One of ``PART_NAMES``.
        rng: The source of randomness.
        unit: Nominal radius of the part in pixels.
        angle: Direction of its long axis in radians.
        multiple: The side of the patch is a multiple of twice this.

    Returns:
        The frame and the shape, both of n x n pixels with the part in the middle.

    Raises:
        ValueError: If ``kind`` is no kind of part.
    """
    if kind not in _SHAPES:
        raise ValueError(f"There is no part {kind!r}: choose one of {', '.join(PART_NAMES)}.")
    draw, extent = _SHAPES[kind]
    side = 2 * multiple * int(np.ceil(extent * unit / multiple))
    frame = Frame.square(side, unit, angle)
    return frame, draw(frame, rng)
