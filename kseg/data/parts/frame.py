"""The patch that holds one part, and what is drawn into it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kseg.data.parts.noise import plane_coordinates


@dataclass(frozen=True)
class Frame:
    """The square patch that holds one part, with the part's own rotated axes.

    Attributes:
        u: Float32 (n, n), position along the part's long axis in units.
        v: Float32 (n, n), position across it in units.
        unit: Pixels per unit.
        angle: Direction of the long axis in radians.
    """

    u: np.ndarray
    v: np.ndarray
    unit: float
    angle: float

    @classmethod
    def square(cls, side: int, unit: float, angle: float) -> "Frame":
        """Makes a frame with the part in its middle.

        Args:
            side: Height and width in pixels.
            unit: Pixels per unit.
            angle: Direction of the long axis in radians.

        Returns:
            The frame.
        """
        u, v = plane_coordinates((side, side), angle)
        return cls(u / np.float32(unit), v / np.float32(unit), unit, angle)

    def pixels(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Turns positions along the axes of the part into pixel positions.

        Args:
            u: Positions along the long axis in units, shape (points,).
            v: Positions across it in units, shape (points,).

        Returns:
            Columns and rows in pixels, shape (points, 2).
        """
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        middle = (self.u.shape[0] - 1) / 2
        return middle + self.unit * np.stack([cos * u - sin * v, sin * u + cos * v], axis=1)


@dataclass(frozen=True)
class Shape:
    """A part as seen from above.

    Attributes:
        mask: Uint8 (n, n), 1 on the part and 0 elsewhere, its holes included.
        height: Float32 (n, n), height in units where the mask is 1.
        marks: How the marks of machining run: in circles, in lines along the long axis, or none.
    """

    mask: np.ndarray
    height: np.ndarray
    marks: Literal["circles", "lines", "none"] = "lines"
