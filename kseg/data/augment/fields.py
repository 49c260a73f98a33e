"""Parameters of operations that know what values they accept."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, NamedTuple


class Interval(NamedTuple):
    """A number between two limits, both included; `whole` ones only where asked for."""

    low: float
    high: float
    whole: bool

    def __str__(self) -> str:
        """Say what is accepted."""
        return f"{'whole ' if self.whole else ''}number in {self.low:g}..{self.high:g}"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is one."""
        kinds = int if self.whole else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        return number and self.low <= value <= self.high


class LabelsOrNone(NamedTuple):
    """A list of labels, or None."""

    def __str__(self) -> str:
        """Say what is accepted."""
        return "list of labels or null"

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is one."""
        if value is None:
            return True
        one = Interval(0, 65535, whole=True)
        return isinstance(value, list | tuple) and len(value) > 0 and all(map(one.accepts, value))


def number(default: float, low: float, high: float) -> Any:
    """Declare a parameter in `low..high`; whole numbers only where the default is an `int`."""
    check = Interval(low, high, isinstance(default, int))
    return field(default=default, metadata={"check": check})


def labels_or_none() -> Any:
    """Declare a parameter that is a list of labels, or None."""
    return field(default=None, metadata={"check": LabelsOrNone()})


def parameters(kind: Any) -> list[Field[Any]]:
    """Return the fields of a dataclass that were declared here."""
    return [one for one in fields(kind) if "check" in one.metadata]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A dataclass whose parameters are checked when it is made."""

    def __post_init__(self) -> None:
        """Raise ValueError for the first parameter with a value that it does not accept."""
        for one in parameters(self):
            value, check = getattr(self, one.name), one.metadata["check"]
            if not check.accepts(value):
                raise ValueError(f"{one.name} must be a {check}, got {value!r}")


def require_order(low: float, high: float) -> None:
    """Raise ValueError where `low` is above `high`."""
    if low > high:
        raise ValueError(f"low must be at most high, got {low} and {high}")
