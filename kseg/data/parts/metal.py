"""How metal looks: light, reflections and the marks of machining on a height map."""

from dataclasses import dataclass

import cv2
import numpy as np

from kseg.data.parts.frame import Frame, Shape
from kseg.data.parts.noise import octave_noise


@dataclass(frozen=True)
class Material:
    """The look of a metal.

    Attributes:
        colour: RGB of a flat face in full light, 0 to 1.
        gloss: Strength of the highlights, 0 to 1.
        grain: Strength of the marks of machining.
    """

    colour: tuple[float, float, float]
    gloss: float
    grain: float


MATERIALS = {
    "steel": Material((0.52, 0.53, 0.55), 0.5, 0.10),
    "brass": Material((0.68, 0.54, 0.27), 0.55, 0.08),
    "black oxide": Material((0.17, 0.17, 0.19), 0.4, 0.12),
    "zinc": Material((0.74, 0.76, 0.77), 0.5, 0.07),
    "copper": Material((0.64, 0.40, 0.30), 0.5, 0.08),
}


def _slopes(shape: Shape, unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The unit normals (x, y, z) of the height map."""
    height = np.where(shape.mask > 0, shape.height, 0).astype(np.float32)
    factor = unit / 8
    x = -cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=factor)
    y = -cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=factor)
    z = 1 / np.sqrt(1 + np.square(x) + np.square(y))
    return x * z, y * z, z


def _marks(frame: Frame, shape: Shape, light: float, rng: np.random.Generator) -> np.ndarray:
    """Fine lines left by machining; turned faces also shine in two opposite sectors."""
    if shape.marks == "none":
        return np.zeros_like(frame.u)
    turned = shape.marks == "circles"
    across = np.hypot(frame.u, frame.v) if turned else frame.v + 2
    lines = rng.normal(0, 1, 512).astype(np.float32)
    marks = lines[(across * np.float32(0.45 * frame.unit)).astype(np.int32) % 512]
    if turned:
        offset = frame.angle - light + rng.uniform(-0.5, 0.5)
        cos, sin = np.float32(np.cos(offset)), np.float32(np.sin(offset))
        toward = (cos * frame.u - sin * frame.v) / np.maximum(across, np.float32(0.05))
        marks = marks + 3.0 * (np.square(np.square(toward)) - np.float32(0.35))
    return marks


def shade(
    frame: Frame, shape: Shape, material: Material, light: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Lights a part.

    Args:
        frame: The frame of the part, n x n pixels.
        shape: Its mask and height.
        material: The metal.
        light: Direction towards the light in the image plane, in radians.
        rng: The source of randomness.

    Returns:
        Two float32 arrays (n, n): the tone, a factor on the colour of the metal that is 1 for a
        flat face, and the highlight, 0 to 1, to be added as white light.
    """
    x, y, z = _slopes(shape, frame.unit)
    toward = np.float32(np.cos(light)) * x + np.float32(np.sin(light)) * y
    diffuse = np.maximum(0.62 * toward + 0.78 * z, 0) / 0.78
    bands = np.sin(5 * toward + 2 * (x - y) + np.float32(rng.uniform(0, 2 * np.pi)))
    cover = shape.height / max(float((shape.height * shape.mask).max()), 1e-6)
    sheen = material.grain * _marks(frame, shape, light, rng)
    tone = (0.3 + 0.7 * diffuse) * (0.62 + 0.38 * cover) + 0.22 * (1 - z) * bands + sheen
    blotches = octave_noise(rng, shape.mask.shape, 0.8 * frame.unit, octaves=3)
    gradient = rng.uniform(-0.2, 0.2) * frame.u + rng.uniform(-0.2, 0.2) * frame.v
    tone = np.maximum(tone * (1 + 0.12 * blotches + gradient), 0.12)
    half = np.maximum(0.34 * toward + 0.94 * z, 0).astype(np.float32)
    highlight = material.gloss * cv2.pow(half, 18) * np.minimum(4 * (1 - z) + 0.06, 1)
    return tone.astype(np.float32), highlight.astype(np.float32)


def choose_metal(rng: np.random.Generator, ground: np.ndarray) -> tuple[Material, np.ndarray]:
    """Draws four pieces of metal and takes the one that stands out most from the ground.

    Args:
        rng: The source of randomness.
        ground: Mean RGB of the ground around the part, float (3,), about 0 to 1.

    Returns:
        The metal, and the colour of this piece: RGB as float32 (3,), 0 to about 1.
    """
    kinds = [MATERIALS[list(MATERIALS)[rng.integers(len(MATERIALS))]] for _ in range(4)]
    tints = rng.uniform(0.78, 1.2, (4, 1)) * rng.uniform(0.96, 1.04, (4, 3))
    colours = (tints * [kind.colour for kind in kinds]).astype(np.float32)
    # Tones are compared by their ratio, as eyes do, because a difference hides dark on dark.
    contrast = np.abs(np.log((colours + 0.05) / (np.maximum(ground, 0) + 0.05))).sum(axis=1)
    best = int(contrast.argmax())
    return kinds[best], colours[best]
