"""Composes scenes: parts with their shadows on a ground, seen by a camera."""

import cv2
import numpy as np

from kseg.data.parts.clutter import add_clutter, lay_sheet
from kseg.data.parts.ground import draw_ground
from kseg.data.parts.metal import choose_metal, shade
from kseg.data.parts.noise import plane_coordinates, smooth_noise
from kseg.data.parts.shapes import PART_NAMES, draw_shape

MIN_SIDE = 32
# Parts are drawn this many times larger and reduced, which gives them smooth edges.
_OVERSAMPLING = 3
_NOMINAL_SIDE = 224
_NOMINAL_RADIUS = 39.0


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """Checks the size of a scene.

    Args:
        size: Height and width in pixels.

    Returns:
        The same as two Python integers.

    Raises:
        ValueError: If it is not two whole numbers of at least 32.
    """
    sides = size if isinstance(size, (tuple, list)) else ()
    whole = all(isinstance(side, (int, np.integer)) for side in sides)
    if len(sides) != 2 or not whole or min(sides) < MIN_SIDE:
        raise ValueError(
            f"The size of a scene is {size!r}: give height and width as whole numbers of at "
            f"least {MIN_SIDE}."
        )
    return int(sides[0]), int(sides[1])


def draw_scene(
    rng: np.random.Generator,
    size: tuple[int, int] = (224, 224),
    *,
    clutter: float = 1.0,
    magnification: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws two to six machine parts on a textured ground with clutter.

    Parts grow with the image, may overlap and may be cut by its border. Shadows, clutter and
    what is seen through the holes of parts are ground.

    Args:
        rng: The source of randomness; the same state gives the same scene.
        size: Height and width in pixels, each at least 32.
        clutter: Strength of the ground's texture and of the things that are no parts, 0 to 1.
        magnification: How much larger than usual the parts are, 1 or more; with 2 the image shows
            the middle of a scene of twice its size.

    Returns:
        The image, uint8 RGB (height, width, 3), and the label, uint8 (height, width) with 0 for
        the ground and 1 to 5 for the kinds in the order of ``PART_NAMES``.

    Raises:
        ValueError: If ``size`` is not two whole numbers of at least 32, ``clutter`` is outside 0 to
            1, or ``magnification`` is below 1.
    """
    check_look(clutter, magnification)
    small = check_size(size)
    shape = round(small[0] * magnification), round(small[1] * magnification)
    image, label = _draw_whole(rng, shape, clutter)
    top, left = ((side - part) // 2 for side, part in zip(shape, small, strict=True))
    window = slice(top, top + small[0]), slice(left, left + small[1])
    return image[window], label[window]


def check_look(clutter: float, magnification: float) -> None:
    """Checks how a scene shall look.

    Raises:
        ValueError: If the clutter is outside 0 to 1, or the magnification below 1.
    """
    if not 0 <= clutter <= 1:
        raise ValueError(f"The clutter is {clutter!r}: give a number from 0 to 1.")
    if not magnification >= 1:
        raise ValueError(f"The magnification is {magnification!r}: give a number of at least 1.")


def _draw_whole(
    rng: np.random.Generator, shape: tuple[int, int], clutter: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draws a scene at its own magnification."""
    scale = float(np.sqrt(shape[0] * shape[1])) / _NOMINAL_SIDE
    canvas = draw_ground(rng, shape, scale)
    if rng.random() < 0.15:
        lay_sheet(rng, canvas, scale)
    add_clutter(rng, canvas, scale)
    if clutter < 1:
        even = canvas.mean(axis=(0, 1))
        canvas = (even + clutter * (canvas - even)).astype(np.float32)
    label = np.zeros(shape, np.uint8)
    light = rng.uniform(0, 2 * np.pi)
    for centre in _choose_centres(rng, shape, 2 + int(rng.binomial(4, 0.28))):
        _add_part(rng, canvas, label, centre, scale, light)
    return _photograph(rng, canvas, scale), label


def _choose_centres(
    rng: np.random.Generator, shape: tuple[int, int], count: int
) -> list[np.ndarray]:
    """Mostly takes the best of several places, far from the others, so that overlaps are few."""
    centres = [rng.uniform(0.1, 0.9, 2) * shape]
    while len(centres) < count:
        places = rng.uniform(0.06, 0.94, (6, 2)) * shape
        gaps = np.linalg.norm(places[:, None] - np.array(centres)[None], axis=2).min(axis=1)
        centres.append(places[0 if rng.random() < 0.1 else int(gaps.argmax())])
    return centres


def _add_part(
    rng: np.random.Generator,
    canvas: np.ndarray,
    label: np.ndarray,
    centre: np.ndarray,
    scale: float,
    light: float,
) -> None:
    """Lays one random part with its shadow on the canvas and enters it in the label, in place."""
    kind = int(rng.integers(len(PART_NAMES)))
    unit = _NOMINAL_RADIUS * scale * rng.uniform(0.95, 1.25)
    around = canvas[_overlap(label.shape, centre, int(2 * unit))[0]].mean(axis=(0, 1))
    alpha, colour = _draw_part(rng, PART_NAMES[kind], unit, light, around)
    margin = int(np.ceil(0.5 * unit))
    alpha = np.pad(alpha, margin)
    colour = np.pad(colour, [(margin, margin), (margin, margin), (0, 0)])
    inside, patch = _overlap(label.shape, centre, alpha.shape[0])
    shadow = _cast_shadow(rng, alpha, unit, light)[patch][..., None]
    view, alpha = canvas[inside], alpha[patch][..., None]
    view *= 1 - shadow
    view += alpha * (colour[patch] - view)
    label[inside][alpha[..., 0] >= 0.5] = kind + 1


def _overlap(
    shape: tuple[int, ...], centre: np.ndarray, side: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The region that a square patch covers, in the image and in the patch."""
    corner = np.rint(centre).astype(int) - side // 2
    low, high = np.maximum(corner, 0), np.minimum(corner + side, shape)
    image = [slice(a, b) for a, b in zip(low, high, strict=True)]
    patch = [slice(a, b) for a, b in zip(low - corner, high - corner, strict=True)]
    return (image[0], image[1]), (patch[0], patch[1])


def _draw_part(
    rng: np.random.Generator, kind: str, unit: float, light: float, ground: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The coverage (n, n), 0 to 1, and the colour (n, n, 3) of a part at the final resolution."""
    angle = rng.uniform(0, 2 * np.pi)
    frame, shape = draw_shape(kind, rng, _OVERSAMPLING * unit, angle, _OVERSAMPLING)
    material, metal_colour = choose_metal(rng, ground)
    tone, highlight = shade(frame, shape, material, light, rng)
    mask = shape.mask.astype(np.float32)
    side = mask.shape[0] // _OVERSAMPLING
    # Weighting by the mask keeps values from outside the part out of the colour of its edge.
    full = np.stack([mask, tone * mask, highlight * mask], axis=-1)
    layers = cv2.resize(full, (side, side), interpolation=cv2.INTER_AREA)
    alpha = layers[..., 0]
    tone, highlight = (layers[..., i] / np.maximum(alpha, 1e-3) for i in (1, 2))
    return alpha, tone[..., None] * metal_colour + highlight[..., None]


def _cast_shadow(
    rng: np.random.Generator, alpha: np.ndarray, unit: float, light: float
) -> np.ndarray:
    """Darkening of the surroundings, 0 to 1: a soft shadow away from the light, and contact."""
    away = -rng.uniform(0.08, 0.2) * unit * np.array([np.cos(light), np.sin(light)])
    move = np.array([[1, 0, away[0]], [0, 1, away[1]]])
    moved = cv2.warpAffine(alpha, move, alpha.shape[::-1])
    cast = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.04, 0.1) * unit)
    contact = cv2.GaussianBlur(alpha, (0, 0), 0.06 * unit)
    return np.maximum(rng.uniform(0.2, 0.4) * cast, rng.uniform(0.12, 0.28) * contact)


def _photograph(rng: np.random.Generator, canvas: np.ndarray, scale: float) -> np.ndarray:
    """Uneven light, a cast of colour, slight blur and sensor noise; returns uint8."""
    shape = canvas.shape[:2]
    along, _ = plane_coordinates(shape, rng.uniform(0, 2 * np.pi))
    light = 1 + rng.uniform(0, 0.3) * along / max(shape)
    light += rng.uniform(0, 0.12) * smooth_noise(rng, shape, 110 * scale)
    balance = rng.uniform(0.95, 1.05, 3) * rng.uniform(0.85, 1.12)
    image = canvas * (light[..., None] * balance).astype(np.float32)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.65))
    image += rng.uniform(0.006, 0.022) * rng.standard_normal(image.shape, np.float32)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
