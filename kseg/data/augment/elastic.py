"""Elastic deformation: smooth random displacements, from few random numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from kseg.data.augment.fields import number
from kseg.data.augment.operation import Displacement, Rng, Size


@dataclass(frozen=True, kw_only=True)
class Elastic(Displacement):
    """Move the points of a coarse grid by themselves and all between them smoothly along.

    The deformation of the U-Net paper (Ronneberger et al. 2015, arXiv:1505.04597): vectors on a
    3x3 grid from a normal distribution with 10 pixels standard deviation, bicubic in between.
    The grid's outer points are the corners and edges of the image, the curve between is a
    natural cubic spline.

    Attributes:
        points: Points of the grid along each side.
        sd: Standard deviation of the moves, in pixels of an image of 512x512; in others the same
            share of the size (the root of the area).
    """

    name: ClassVar[str] = "elastic"

    points: int = number(3, 2, 32)
    sd: float = number(10.0, 0, 100)

    def detail(self, size: Size) -> float:
        """Return the distance of the points."""
        return min(size) / (self.points - 1)

    def moves(self, rng: Rng, size: Size, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Draw the moves of the points and interpolate."""
        pixels = self.sd * math.sqrt(size[0] * size[1]) / 512
        drawn = rng.normal(0, pixels, (2, self.points, self.points))
        down, across = _spline(self.points)(rows / size[0]), _spline(self.points)(columns / size[1])
        return down @ drawn @ across.T


@lru_cache(maxsize=8)
def _spline(points: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from places on 0..1 to the weights there of each of `points` values."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(np.linspace(0, 1, points), np.eye(points), bc_type="natural")


@dataclass(frozen=True, kw_only=True)
class ElasticDense(Displacement):
    """Move each pixel by evenly drawn noise after a wide Gaussian blur, times a factor.

    Simard et al. 2003, "Best practices for convolutional neural networks"; with the defaults the
    deformation that is common for the EM images of ISBI 2012. Instead of a number per pixel one
    per standard deviation of the blur is drawn, which gives displacements of the same variance
    and the same correlation for a hundredth of the time.

    Attributes:
        alpha: The factor, as a share of the width. The standard deviation of the displacement is
            `0.163 * alpha / sigma` pixels, 4.1 with the defaults, whatever the size.
        sigma: Standard deviation of the blur, as a share of the width.
    """

    name: ClassVar[str] = "elastic_dense"

    alpha: float = number(2.0, 0, 10)
    sigma: float = number(0.08, 0.01, 0.5)

    def detail(self, size: Size) -> float:
        """Return the blur's standard deviation."""
        return self.sigma * size[1]

    def moves(self, rng: Rng, size: Size, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Draw noise and spread it."""
        blur = self.sigma * size[1]
        down, across = _bumps(rows, blur), _bumps(columns, blur)
        noise = rng.uniform(-1, 1, (2, down.shape[1], across.shape[1]))
        # What one number per pixel has after the blur, relative to what it has before.
        thinner = 1 / (2 * math.sqrt(math.pi) * blur)
        return self.alpha * size[1] * thinner * (down @ noise @ across.T)


def _bumps(places: np.ndarray, blur: float) -> np.ndarray:
    """Return Gaussians around centres on and beyond the places, `(places, centres)`.

    Independent numbers on the centres add up to a curve of the variance of one number.
    """
    centres = np.arange(places[0] - 4 * blur, places[-1] + 5 * blur, blur)
    return np.exp(-(((places[:, None] - centres) / blur) ** 2) / 2) / math.pi**0.25
