"""Textured grounds: the surfaces on which the parts lie."""

from collections.abc import Callable

import cv2
import numpy as np

from kseg.data.parts.noise import octave_noise, plane_coordinates, smooth_noise

Texture = Callable[[np.random.Generator, tuple[int, int], float], np.ndarray]


def _plaster(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    return 0.28 * octave_noise(rng, shape, rng.uniform(25, 60) * scale, octaves=5)


def _wood(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    along, across = plane_coordinates(shape, rng.uniform(0, np.pi))
    bend = smooth_noise(rng, shape, 90 * scale) * rng.uniform(6, 16) * scale
    rings = np.sin((across + bend) / (rng.uniform(1.6, 3.6) * scale) + along / (140 * scale))
    fibre = _streaks(rng, shape, 0.0)
    seam = np.abs((across / (rng.uniform(60, 120) * scale)) % 1 - 0.5) < 0.012
    return 0.10 * rings + 0.05 * fibre + 0.08 * smooth_noise(rng, shape, 50 * scale) - 0.4 * seam


def _brushed(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    streaks = _streaks(rng, shape, rng.uniform(-np.pi / 2, np.pi / 2))
    return 0.12 * streaks + 0.14 * smooth_noise(rng, shape, 120 * scale)


def _concrete(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    grains = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 0.9 * max(scale, 0.5))
    speckle = 0.16 * np.clip(grains * 2.2, -2, 2)
    pores = -0.3 * (octave_noise(rng, shape, 6 * scale, octaves=1) < -0.78)
    return speckle + pores + 0.15 * octave_noise(rng, shape, 50 * scale)


def _cloth(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    along, across = plane_coordinates(shape, rng.uniform(0, np.pi))
    step = np.pi / (rng.uniform(2.2, 4.5) * max(scale, 0.6))
    fold = smooth_noise(rng, shape, 70 * scale)
    weave = np.sin(along * step + fold) * np.sin(across * step - fold)
    return 0.17 * weave + 0.16 * fold + 0.06 * rng.standard_normal(shape, np.float32)


def _ribbed(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    _, across = plane_coordinates(shape, rng.uniform(0, np.pi))
    ribs = np.sin(across * 2 * np.pi / (rng.uniform(9, 18) * scale))
    return 0.16 * np.tanh(2 * ribs) + 0.08 * octave_noise(rng, shape, 30 * scale)


def _streaks(rng: np.random.Generator, shape: tuple[int, int], angle: float) -> np.ndarray:
    """Blurs white noise along one direction; unit variance is restored afterwards."""
    length = 31
    kernel = np.zeros((length, length), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length // 2)
    ends = [np.rint(length // 2 + sign * reach).astype(int).tolist() for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    noise = rng.standard_normal(shape, np.float32)
    return cv2.filter2D(noise, -1, kernel / np.sqrt(kernel.sum()))


# Each texture with the range of its mean tone and the colours (RGB, mean about 1) that suit it.
_NEUTRAL = ((1.0, 1.0, 1.0), (1.04, 1.0, 0.95), (0.95, 1.0, 1.05))
_WOODS = ((1.3, 0.98, 0.66), (1.2, 1.0, 0.78), (1.35, 0.92, 0.6))
_DYES = ((0.6, 0.9, 1.4), (1.4, 0.75, 0.7), (0.75, 1.2, 0.85), (1.15, 1.05, 0.7), (1.0, 1.0, 1.0))
_TEXTURES: tuple[tuple[Texture, tuple[float, float], tuple[tuple[float, ...], ...]], ...] = (
    (_plaster, (0.25, 0.85), _NEUTRAL + _DYES),
    (_wood, (0.28, 0.72), _WOODS),
    (_brushed, (0.35, 0.8), _NEUTRAL),
    (_concrete, (0.3, 0.8), _NEUTRAL),
    (_cloth, (0.22, 0.8), _NEUTRAL + _DYES),
    (_ribbed, (0.2, 0.6), _NEUTRAL + _DYES),
)


def draw_ground(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Draws one ground of a random texture, tone and colour.

    Args:
        rng: The source of randomness.
        shape: Height and width in pixels.
        scale: Size of the structures; 1 suits an image of 224 x 224 pixels.

    Returns:
        A float32 RGB array (height, width, 3), about 0 to 1 and not clipped.
    """
    texture, tones, colours = _TEXTURES[rng.integers(len(_TEXTURES))]
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.94, 1.06, 3)
    relief = 1 + rng.uniform(0.5, 1.1) * texture(rng, shape, scale)
    tint = 1 + 0.04 * smooth_noise(rng, shape, 40 * scale)
    channels = [relief, relief * tint, relief * tint * tint]
    base = (colour * rng.uniform(*tones)).astype(np.float32)
    return np.stack(channels, axis=-1).astype(np.float32) * base
