"""The kinds of operations: what moves pixels, what changes their values, what mixes samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kseg.data.augment.fields import Checked, number
from kseg.data.dataset import VOID, Sample

Rng = np.random.Generator
Size = tuple[int, int]
Transform = Callable[[Sample, Rng], Sample]
Draw = Callable[[Rng], Sample]
"""Gives another training sample, of the size, the channels and the type of the first."""


@dataclass(frozen=True, kw_only=True)
class Operation(Checked, ABC):
    """One random change.

    Attributes:
        p: Probability that it happens to a sample.
        void: Label that it gives to pixels without truth; set by the recipe, no parameter.
    """

    name: ClassVar[str]

    p: float = number(0.5, 0, 1)
    void: int = VOID

    def happens(self, rng: Rng) -> bool:
        """Decide by chance."""
        return rng.random() < self.p


class Move(Operation):
    """Moves pixels by a matrix.

    Coordinates are x to the right and y downwards in pixels, from the upper left corner of the
    image: the centre of its first pixel is at (0.5, 0.5).
    """

    @abstractmethod
    def matrix(self, rng: Rng, size: Size) -> np.ndarray:
        """Draw where points `(x, y, 1)` of an image of `size` (height, width) go: `(3, 3)`."""


class Displacement(Operation):
    """Moves each pixel by its own amount, smoothly."""

    @abstractmethod
    def detail(self, size: Size) -> float:
        """Return the length in pixels over which the displacement changes its direction."""

    @abstractmethod
    def moves(self, rng: Rng, size: Size, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Draw how far to the right and below the points of a grid come from.

        Args:
            rng: Source of chance.
            size: Height and width of the image in pixels.
            rows: Heights of the grid's points, from the upper edge of the image downwards.
            columns: Their distances from the left edge.

        Returns:
            Pixels in x and in y, `(2, rows, columns)`.
        """


class PixelChange(Operation):
    """Changes the values of pixels where they are."""

    def __call__(self, sample: Sample, rng: Rng) -> Sample:
        """Return the sample, changed if chance has it so."""
        return self.change(sample, rng) if self.happens(rng) else sample

    @abstractmethod
    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Return the changed sample."""


class Mix(Operation):
    """Puts other training samples into a sample."""

    def __call__(self, sample: Sample, rng: Rng, draw: Draw | None = None) -> Sample:
        """Return the sample, mixed with others if chance has it so.

        Args:
            sample: The sample.
            rng: Source of chance.
            draw: Loads a training sample that it chooses by `rng`.

        Raises:
            ValueError: `draw` is missing, or the samples differ in size, channels or type.
        """
        if draw is None:
            raise ValueError(f"{self.name} needs other samples: give it a function that draws one")
        return self.mix(sample, rng, draw) if self.happens(rng) else sample

    @abstractmethod
    def mix(self, sample: Sample, rng: Rng, draw: Draw) -> Sample:
        """Return the mixed sample."""
