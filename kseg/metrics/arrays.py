"""Checks of NumPy input that the host-side metrics share."""

import numpy as np

# Softmax in float16 and averages of several predictions leave the range by this much at most.
_ROUNDING = 1e-3


def same_shape(truth, other, what="prediction"):
    """Raise if two arrays differ in shape.

    Args:
        truth: Array of the truth.
        other: The array that must fit it.
        what: Name of `other` for the message.

    Raises:
        ValueError: With both shapes.
    """
    if truth.shape != other.shape:
        raise ValueError(f"truth has shape {truth.shape}, {what} {other.shape}; both must agree.")


def binary_mask(what, values):
    """Return `values` as a boolean array.

    Args:
        what: Name of the array for the message.
        values: Booleans, or numbers that are 0 or 1.

    Returns:
        A boolean array of the same shape.

    Raises:
        ValueError: If there is another value.
    """
    values = np.asarray(values)
    wrong = values[(values != 0) & (values != 1)]
    if wrong.size:
        raise ValueError(f"{what} holds {wrong[0]:g}, expected booleans, or 0 and 1.")
    return values.astype(bool)


def check_probabilities(what, values):
    """Raise unless all values are probabilities.

    Args:
        what: Name of the array for the message.
        values: Array of numbers; rounding errors of up to 0.001 may leave 0 to 1.

    Raises:
        ValueError: If a value is below 0, above 1 or NaN.
    """
    if not values.size:
        return
    low, high = values.min(), values.max()
    if np.isnan(low):
        raise ValueError(f"{what} holds NaN, expected probabilities from 0 to 1.")
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise ValueError(
            f"{what} holds values from {low:g} to {high:g}, expected probabilities from 0 to 1; "
            "logits need softmax or sigmoid first, images a division by their largest value."
        )
