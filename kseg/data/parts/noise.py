"""Smooth random fields, the raw material of grounds, metals and light."""

import cv2
import numpy as np


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> np.ndarray:
    """Draws value noise: random values on a coarse grid, interpolated cubically.

    Args:
        rng: The source of randomness.
        shape: Height and width in pixels.
        cell: Side of a grid cell in pixels; larger cells give slower variation.

    Returns:
        A float32 array (height, width), about -1 to 1.
    """
    rows, cols = (max(2, int(np.ceil(side / cell)) + 1) for side in shape)
    grid = rng.uniform(-1, 1, (rows, cols)).astype(np.float32)
    return cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def octave_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 4
) -> np.ndarray:
    """Adds layers of value noise, each at half the cell size and 0.6 times the strength.

    Args:
        rng: The source of randomness.
        shape: Height and width in pixels.
        cell: Side of a grid cell of the first layer in pixels.
        octaves: Number of layers, 1 or more.

    Returns:
        A float32 array (height, width), about -1 to 1.
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += 0.6**octave * smooth_noise(rng, shape, max(1.0, cell / 2**octave))
    return total / np.float32(1.5)


def plane_coordinates(shape: tuple[int, int], angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Gives the coordinates of every pixel along two rotated axes.

    Args:
        shape: Height and width in pixels.
        angle: Direction of the first axis in radians.

    Returns:
        Two float32 arrays (height, width), in pixels, zero in the middle.
    """
    height, width = shape
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32((height - 1) / 2)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32((width - 1) / 2)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x
