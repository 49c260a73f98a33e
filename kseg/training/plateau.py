"""Lowering the learning rate when a score stands still."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol

import keras

from kseg.training.schedule_options import schedule_options

Rows = Sequence[dict[str, Any]]


class _HasRows(Protocol):
    rows: Rows


class Plateau(keras.callbacks.Callback):
    """Multiply the learning rate by `factor` after `patience` epochs without a better value.

    It has no memory of its own: after each epoch it goes through the rows of the metrics file
    again, and the rate itself is saved with the optimizer. So a resumed run decides as the
    uninterrupted one would. Its place among the callbacks is after the writer of those rows and
    before the checkpoints.

    Args:
        rows: An object with `rows`, such as `MetricsCsv`, or a function that returns the rows.
        monitor: Column that is watched.
        mode: Whether a good value is high ("max") or low ("min").
        factor: What the rate is multiplied by, above 0 and below 1.
        patience: Epochs without a better value, at least 1; counted anew after each lowering.
        min_rate: The rate never goes below.
        first_epoch: Only epochs after this many finished ones count, as when a new phase begins
            with another optimizer.

    Raises:
        ValueError: A value out of range; while training, a column that is not there.
    """

    def __init__(
        self,
        rows: _HasRows | Callable[[], Rows],
        monitor: str,
        mode: Literal["max", "min"] = "max",
        factor: float = 0.1,
        patience: int = 10,
        min_rate: float = 0.0,
        *,
        first_epoch: int = 0,
    ):
        super().__init__()
        if mode not in ("max", "min"):
            raise ValueError(f"mode of Plateau must be 'max' or 'min', got {mode!r}")
        options = {"factor": factor, "patience": patience, "min_rate": min_rate}
        schedule_options("plateau", options)
        self._source, self.monitor, self.mode = rows, monitor, mode
        self.factor, self.patience, self.min_rate = factor, patience, min_rate
        self.first_epoch = first_epoch

    def on_epoch_end(self, epoch, logs=None):
        """Lower the rate where it is time."""
        rows = self._source() if callable(self._source) else self._source.rows
        rows = [row for row in rows if self.first_epoch < row["epoch"] <= epoch + 1]
        if not rows or rows[-1]["epoch"] != epoch + 1:
            raise ValueError(
                f"Plateau finds no row of epoch {epoch + 1}: it must come after MetricsCsv"
            )
        if self.monitor not in rows[-1]:
            raise ValueError(
                f"Plateau finds no {self.monitor!r} in the metrics, which have: "
                f"{', '.join(rows[-1])}"
            )
        sign = 1 if self.mode == "max" else -1
        values = (sign * row.get(self.monitor, math.nan) for row in rows)
        if stands_still(values, self.patience):
            optimizer = self.model.optimizer
            rate = float(optimizer.learning_rate)
            optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_rate))


def stands_still(values: Iterable[float], patience: int) -> bool:
    """Tell whether the last of some values is the last of `patience` ones below the best so far.

    After each time this was so, the count starts anew. NaN is never better.
    """
    best, waited = -math.inf, 0
    for value in values:
        if waited == patience:
            waited = 0
        if value > best:
            best, waited = value, 0
        else:
            waited += 1
    return waited == patience
