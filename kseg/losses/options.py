"""Checks of the options that losses share."""

import math
from numbers import Integral, Real


def check_whole(option, value):
    """Return `value` as int, or None as it is.

    Raises:
        ValueError: If it is no whole number.
    """
    if value is None:
        return None
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{option} takes whole numbers, got {value!r}.")
    return int(value)


def check_number(option, value, low=0.0, high=math.inf, *, above=False):
    """Return `value` as float.

    Args:
        option: Name of the option, for the message.
        value: What the user gave.
        low: Smallest allowed value.
        high: Largest allowed value.
        above: Whether `low` itself is not allowed.

    Raises:
        ValueError: If it is no number in the range.
    """
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high or (above and value == low):
        wanted = f"above {low:g}" if above else f"at least {low:g}"
        wanted += f" and at most {high:g}" if math.isfinite(high) else ""
        raise ValueError(f"{option} must be {wanted}, got {value!r}.")
    return float(value)


def check_class_weights(values, option="class_weights"):
    """Return a list of weights as floats, or None as it is.

    Raises:
        ValueError: If they are no numbers of at least 0, or all 0.
    """
    if values is None:
        return None
    if isinstance(values, str):
        raise ValueError(
            f"{option}={values!r}: a loss takes numbers; compute them from a data set with "
            f"kseg.data.class_weights, or train with --class_weights {values}."
        )
    values = [float(value) for value in values]
    if not all(math.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ValueError(f"{option} must be at least 0 and not all 0, got {values}.")
    return values
