"""Sums of floating-point numbers that do not depend on their order."""

from __future__ import annotations

import numpy as np

# Steps that are added: fine enough for scores, distances and their sums over an image.
_STEPS = 2.0**40


class OrderlessSum:
    """A sum of arrays in steps of 2**-40, the same in whatever order they come.

    Several processes give their results in any order, and evaluations of the same images must be
    equal to the last digit.

    Args:
        shape: Shape of the arrays.
    """

    def __init__(self, shape: tuple[int, ...]):
        # Python's whole numbers, which do not overflow.
        self._steps = np.zeros(shape, object)

    def add(self, values: np.ndarray) -> None:
        """Add an array of finite numbers."""
        steps = [int(value) for value in np.rint(values * _STEPS).ravel().tolist()]
        self._steps += np.array(steps, object).reshape(self._steps.shape)

    def value(self) -> np.ndarray:
        """Return the sum as float64."""
        return self._steps.astype(np.float64) / _STEPS
