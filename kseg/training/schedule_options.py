"""The options of the learning rate schedules: names, defaults and ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {"warm_up": 0.0},
    "step": {"epochs": None, "factor": None, "warm_up": 0.0},
    "cosine": {"end": 0.01, "warm_up": 0.05},
    "polynomial": {"power": 0.9, "end": 0.0, "warm_up": 0.0},
    "one_cycle": {"pct_start": 0.3, "div": 25.0, "final_div": 1e4},
    "plateau": {"factor": 0.1, "patience": 10, "min_rate": 0.0},
}
"""The schedules with their options and what these are by default."""

Rule = tuple[Callable[[Any], bool], str]


def _number(low: float, high: float) -> Rule:
    return lambda value: _is_number(value) and low <= value <= high, f"from {low:g} to {high:g}"


def _inside(low: float, high: float) -> Rule:
    return lambda value: _is_number(value) and low < value < high, f"above {low:g}, below {high:g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_rising_counts(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value or not all(map(_is_count, value)):
        return False
    return all(one < other for one, other in zip(value, value[1:], strict=False))


_RULES: dict[str, Rule] = {
    "warm_up": _number(0, 0.5),
    "end": _number(0, 1),
    "power": _inside(0, math.inf),
    "epochs": (_are_rising_counts, "rising numbers of finished epochs such as [30, 60]"),
    "factor": _inside(0, 1),
    "pct_start": _inside(0, 1),
    "div": _number(1, 1e9),
    "final_div": _number(1, 1e9),
    "patience": (_is_count, "a whole number of at least 1"),
    "min_rate": _number(0, 1e9),
}


def schedule_options(name: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return all options of the schedule `name`: those given, and defaults for the others.

    Args:
        name: One of `SCHEDULES`.
        options: Options by name; None as a value means the default.

    Raises:
        ValueError: An unknown schedule or option, or a value out of its range.
    """
    if name not in SCHEDULES:
        raise ValueError(f"unknown learning rate schedule {name!r}: {_hint(name, SCHEDULES)}")
    known = SCHEDULES[name]
    given = {key: value for key, value in (options or {}).items() if value is not None}
    for option, value in given.items():
        if option not in known:
            raise ValueError(f"schedule {name!r} has no option {option!r}: {_hint(option, known)}")
        fits, words = _RULES[option]
        if not fits(value):
            raise ValueError(
                f"option {option} of the schedule {name!r} must be {words}, got {value!r}"
            )
    return {**known, **given}


def _hint(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(str(name), known, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known are {', '.join(known)}"
