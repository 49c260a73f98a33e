"""Operations that move pixels by a matrix; `Warp` multiplies theirs into one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from kseg.data.augment.fields import number, require_order
from kseg.data.augment.operation import Move, Rng, Size


def _matrix(a: float, b: float, c: float, d: float, e: float, f: float) -> np.ndarray:
    return np.array([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])


def _about_centre(a: float, b: float, d: float, e: float, size: Size) -> np.ndarray:
    """Return `x' = ax + by, y' = dx + ey` with the middle of the image as origin."""
    y, x = size[0] / 2, size[1] / 2
    return _matrix(a, b, x - a * x - b * y, d, e, y - d * x - e * y)


@dataclass(frozen=True, kw_only=True)
class HFlip(Move):
    """Mirror left to right."""

    name: ClassVar[str] = "hflip"

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Map x to `width - x`."""
        return _matrix(-1, 0, size[1], 0, 1, 0)


@dataclass(frozen=True, kw_only=True)
class VFlip(Move):
    """Mirror top to bottom."""

    name: ClassVar[str] = "vflip"

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Map y to `height - y`."""
        return _matrix(1, 0, 0, 0, -1, size[0])


@dataclass(frozen=True, kw_only=True)
class QuarterTurn(Move):
    """Turn a square image by 90 degrees; others stay as they are."""

    name: ClassVar[str] = "quarter_turn"

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Map (x, y) to `(y, side - x)`."""
        return _matrix(0, 1, 0, -1, 0, size[1]) if size[0] == size[1] else np.eye(3)


@dataclass(frozen=True, kw_only=True)
class Rotate(Move):
    """Rotate about the middle.

    Attributes:
        degrees: Largest angle in either direction.
    """

    name: ClassVar[str] = "rotate"

    degrees: float = number(10.0, 0, 180)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw the angle evenly."""
        angle = math.radians(rng.uniform(-self.degrees, self.degrees))
        cosine, sine = math.cos(angle), math.sin(angle)
        return _about_centre(cosine, -sine, sine, cosine, size)


@dataclass(frozen=True, kw_only=True)
class Zoom(Move):
    """Scale the image and place it at random: larger than the frame, it is cropped.

    With `low=0.25, high=2, aspect=0.3` it is the jitter that DeepLab and U-Net trainings on
    PASCAL VOC commonly use.

    Attributes:
        low: Smallest scale.
        high: Largest scale.
        aspect: How far the ratio of the sides may go: it is the quotient of two numbers in
            `1 - aspect .. 1 + aspect`. The side that shrinks more has `scale` times that ratio.
    """

    name: ClassVar[str] = "zoom"

    low: float = number(0.5, 0.05, 20)
    high: float = number(2.0, 0.05, 20)
    aspect: float = number(0.0, 0, 0.9)

    def __post_init__(self) -> None:
        """Check the order of the scales too."""
        super().__post_init__()
        require_order(self.low, self.high)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw scale, aspect and place evenly."""
        wide, tall = rng.uniform(1 - self.aspect, 1 + self.aspect, 2)
        scale = rng.uniform(self.low, self.high)
        return _placed(scale * min(1, wide / tall), scale * min(1, tall / wide), rng, size)


@dataclass(frozen=True, kw_only=True)
class Crop(Move):
    """Show a part of the image, enlarged to the whole frame.

    Attributes:
        smallest: Least share of each side that is left; both sides are drawn by themselves.
    """

    name: ClassVar[str] = "crop"

    smallest: float = number(0.8, 0.05, 1)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw sides and place evenly."""
        across, down = rng.uniform(self.smallest, 1, 2)
        return _placed(1 / across, 1 / down, rng, size)


def _placed(scale_x: float, scale_y: float, rng: Rng, size: Size) -> np.ndarray:
    """Scale, and move anywhere between the one and the other end of the frame."""
    x, y = rng.random(2)
    return _matrix(scale_x, 0, x * (1 - scale_x) * size[1], 0, scale_y, y * (1 - scale_y) * size[0])


@dataclass(frozen=True, kw_only=True)
class Translate(Move):
    """Shift the image.

    Attributes:
        share: Largest shift in either direction, as a share of the side.
    """

    name: ClassVar[str] = "translate"

    share: float = number(0.1, 0, 1)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw both shifts evenly."""
        x, y = rng.uniform(-self.share, self.share, 2)
        return _matrix(1, 0, x * size[1], 0, 1, y * size[0])


@dataclass(frozen=True, kw_only=True)
class Shear(Move):
    """Slant the image along x and y.

    Attributes:
        degrees: Largest angle in either direction.
    """

    name: ClassVar[str] = "shear"

    degrees: float = number(10.0, 0, 40)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw both angles evenly."""
        across, down = np.tan(np.radians(rng.uniform(-self.degrees, self.degrees, 2)))
        return _about_centre(1, across, down, 1, size)


@dataclass(frozen=True, kw_only=True)
class Affine(Move):
    """Move three corners of a square by themselves, as is done before an elastic deformation.

    The square is centred and its side is 2/3 of the image's shorter one (Simard et al. 2003,
    "Best practices for convolutional neural networks", in the form common for EM images).

    Attributes:
        share: Largest move of a corner along x and along y, as a share of the width.
    """

    name: ClassVar[str] = "affine"

    share: float = number(0.08, 0, 0.15)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw the moves evenly."""
        middle, third = np.array(size[::-1]) / 2, min(size) / 3
        corners = middle + third * np.array([[1, 1], [1, -1], [-1, -1]])
        moved = corners + rng.uniform(-self.share, self.share, (3, 2)) * size[1]
        two_rows = cv2.getAffineTransform(corners.astype(np.float32), moved.astype(np.float32))
        return np.vstack([two_rows, [0, 0, 1]])


@dataclass(frozen=True, kw_only=True)
class Perspective(Move):
    """Move the four corners by themselves, as if seen from another point.

    Attributes:
        share: Largest move of a corner, as a share of the side.
    """

    name: ClassVar[str] = "perspective"

    # From 0.25 on, three corners could come to lie on a line.
    share: float = number(0.05, 0, 0.2)

    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw the moves evenly."""
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        sides = np.array(size[::-1], np.float32)
        moved = unit + rng.uniform(-self.share, self.share, (4, 2)).astype(np.float32)
        return cv2.getPerspectiveTransform(unit * sides, moved * sides)
