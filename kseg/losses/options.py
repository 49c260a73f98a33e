"""Checks of the options that losses share."""

import math
from collections.abc import Iterable, Mapping
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


def check_flag(option, value):
    """Return `value` as bool.

    Raises:
        ValueError: If it is neither True nor False; the text "false" would count as True.
    """
    if value not in (True, False):
        raise ValueError(f"{option} must be True or False, got {value!r}.")
    return bool(value)


def check_class_ids(values):
    """Return a list of classes as int, or None as it is.

    Raises:
        ValueError: If they are no whole numbers from 0 on, or there is none.
    """
    if values is None:
        return None
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise ValueError(f"class_ids takes a list of classes such as [1, 2], got {values!r}.")
    ids = [check_whole("class_ids", value) for value in values]
    if not ids or None in ids or min(ids) < 0:
        raise ValueError(f"class_ids needs classes from 0 on, got {ids}.")
    return ids


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
    values = _numbers(option, values)
    if not all(math.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ValueError(f"{option} must be at least 0 and not all 0, got {values}.")
    return values


def _numbers(option, values):
    # Of a dict, as Keras' `fit` takes them, a loop would give the keys.
    if not isinstance(values, Mapping):
        try:
            return [float(value) for value in values]
        except (TypeError, ValueError):
            pass
    raise ValueError(f"{option} takes a list with a number per class, got {values!r}.")
