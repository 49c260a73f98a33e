"""Where the pixels of a moved image come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from kseg.data.augment.operation import Displacement, Rng, Size

# OpenCV's borders take coordinates that fit 16 bits; no image is this far out.
_FAR = 30000.0
# A move that the sampler, which knows 32nds of pixels, does not notice.
_UNSEEN = 1e-3
# Points per detail of a displacement: linear interpolation is off by 1/30 of it at most.
_POINTS_PER_DETAIL = 6
_LARGEST_STEP = 8


@dataclass(frozen=True)
class Lattice:
    """Points at equal distance, with one row or column beyond each edge of an image.

    Displacements are smooth: computing them at each eighth pixel and interpolating is many times
    faster than at each.

    Attributes:
        size: Height and width of the image.
        step: Pixels between points, at least 1.
    """

    size: Size
    step: int

    @property
    def rows(self) -> np.ndarray:
        """Height of the points in pixels, from the upper edge of the image downwards."""
        return self._places(self.size[0])

    @property
    def columns(self) -> np.ndarray:
        """Distance of the points from the left edge in pixels."""
        return self._places(self.size[1])

    def _places(self, length: int) -> np.ndarray:
        return (np.arange(math.ceil(length / self.step) + 2) - 0.5) * self.step

    def to_pixels(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values `(rows, columns, C)` at the centres of the pixels: `(H, W, C)`."""
        height, width = (length * self.step for length in values.shape[:2])
        fine = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(
            fine[self.step : self.step + self.size[0], self.step : self.step + self.size[1]]
        )


@dataclass(frozen=True)
class Field:
    """Displacements of the pixels of a result.

    Attributes:
        lattice: Where they are known.
        moves: How far to the right and below the pixels come from, `(2, rows, columns)`.
    """

    lattice: Lattice
    moves: np.ndarray


def draw_field(operations: Sequence[Displacement], rng: Rng, size: Size) -> Field | None:
    """Draw and add up the displacements of operations; None where nothing moves."""
    if not operations:
        return None
    detail = min(one.detail(size) for one in operations)
    step = int(np.clip(detail / _POINTS_PER_DETAIL, 1, _LARGEST_STEP))
    lattice = Lattice(size, step)
    moves = sum(
        (one.moves(rng, size, lattice.rows, lattice.columns) for one in operations),
        np.zeros(()),
    )
    return Field(lattice, moves) if moves.any() else None


@dataclass(frozen=True)
class Placing:
    """Where the pixels of the result come from.

    Attributes:
        matrix: From points of the window to points of the result, `(3, 3)`.
        field: Displacements of the pixels of the result, or None.
        size: Height and width of the result.
        corner: Row and column of the sample where the window begins, which is as large as the
            result. What moves into it from outside is there if the sample has it.
    """

    matrix: np.ndarray
    field: Field | None
    size: Size
    corner: tuple[int, int] = (0, 0)

    @cached_property
    def inverse(self) -> np.ndarray:
        """From points of the result to those of the sample, `(3, 3)`."""
        row, column = self.corner
        to_sample = np.array([[1, 0, column], [0, 1, row], [0, 0, 1.0]])
        return to_sample @ np.linalg.inv(self.matrix)

    @cached_property
    def map(self) -> np.ndarray:
        """Pixel numbers x and y in the sample of each pixel of the result, float32 `(H, W, 2)`.

        Numbers are points less 0.5: those of pixel centres are whole.
        """
        if self.field is None:
            raise ValueError("without displacements the matrix says it all")
        lattice = self.field.lattice
        x = self.field.moves[0] + lattice.columns
        y = self.field.moves[1] + lattice.rows[:, None]
        old_x, old_y, depth = (a * x + b * y + c for a, b, c in self.inverse)
        with np.errstate(divide="ignore", invalid="ignore"):
            old = np.nan_to_num(np.stack([old_x / depth, old_y / depth], axis=-1), nan=_FAR)
        return lattice.to_pixels(np.clip(old - 0.5, -_FAR, _FAR).astype(np.float32))

    @property
    def still(self) -> bool:
        """Whether every pixel of the window stays where it is."""
        height, width = self.size
        corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
        moved = self.matrix @ corners
        return self.field is None and np.abs(moved / moved[2] - corners).max() < _UNSEEN

    @property
    def scale(self) -> float:
        """How much longer lines in the middle of the window are in the result."""
        depth = self.matrix[2] @ (self.size[1] / 2, self.size[0] / 2, 1)
        # The root of the determinant of a perspective's derivative.
        return math.sqrt(abs(np.linalg.det(self.matrix)) / max(abs(depth) ** 3, 1e-9))
