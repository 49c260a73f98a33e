"""How the learning rate goes over a run.

Keras asks a schedule with the number of batches seen, not with the number of updates: where the
gradients of several batches are added up (`gradient_accumulation_steps`), `optimizer.iterations`
counts updates, but the schedule still gets the count of batches. So every schedule here is
as long as the run has batches, and an update takes the rate of the last batch that belongs to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops
from keras.optimizers import schedules

from kseg.training.schedule_options import schedule_options

_TEN = 10
_LAST_OF_TEN = 0.01


@keras.saving.register_keras_serializable("kseg")
class WarmUp(schedules.LearningRateSchedule):
    """Raise the rate along a line from 0 to `peak`, then follow another schedule from its start.

    Args:
        peak: Rate at the end of the line.
        steps: Batches of the line, at least 1.
        after: What follows.
    """

    def __init__(self, peak: float, steps: int, after: schedules.LearningRateSchedule):
        self.peak, self.steps, self.after = float(peak), int(steps), after

    def __call__(self, step):
        """Return the rate of batch `step`, which counts from 0."""
        step = ops.convert_to_tensor(step)
        line = ops.cast(step, "float32") * (self.peak / self.steps)
        return ops.where(step < self.steps, line, self.after(ops.maximum(step - self.steps, 0)))

    def get_config(self):
        """Return what `from_config` needs."""
        after = schedules.serialize(self.after)
        return {"peak": self.peak, "steps": self.steps, "after": after}

    @classmethod
    def from_config(cls, config):
        """Make the schedule that `get_config` described."""
        return cls(**{**config, "after": schedules.deserialize(config["after"])})


@keras.saving.register_keras_serializable("kseg")
class OneCycle(schedules.LearningRateSchedule):
    """Up from a low rate to the peak and down to nearly nothing, along half cosine waves.

    Smith, "A disciplined approach to neural network hyper-parameters", 2018, arXiv 1803.09820.
    Cosines in place of his straight lines, and a last rate far below the first one, as PyTorch's
    `OneCycleLR` has them; the momentum stays as it is, since Keras cannot schedule it.

    Args:
        peak: Highest rate.
        total_steps: Batches of the run.
        pct_start: Share of the run that rises, above 0 and below 1.
        div: Peak divided by the first rate.
        final_div: First rate divided by the last one.
    """

    def __init__(
        self,
        peak: float,
        total_steps: int,
        pct_start: float = 0.3,
        div: float = 25.0,
        final_div: float = 1e4,
    ):
        self.peak, self.total_steps = float(peak), int(total_steps)
        self.pct_start, self.div, self.final_div = pct_start, div, final_div

    def __call__(self, step):
        """Return the rate of batch `step`, which counts from 0."""
        step = ops.cast(step, "float32")
        first = self.peak / self.div
        # In a run of few batches a half may have no length at all.
        up = max(self.pct_start * self.total_steps - 1, 1e-6)
        down = max(self.total_steps - 1 - up, 1e-6)
        rising = _half_wave(first, self.peak, step / up)
        falling = _half_wave(self.peak, first / self.final_div, (step - up) / down)
        return ops.where(step <= up, rising, falling)

    def get_config(self):
        """Return the arguments."""
        names = ("peak", "total_steps", "pct_start", "div", "final_div")
        return {name: getattr(self, name) for name in names}


def _half_wave(start: float, end: float, share):
    return end + (start - end) / 2 * (1 + ops.cos(math.pi * ops.clip(share, 0.0, 1.0)))


@dataclass(frozen=True)
class _Run:
    """A run as a schedule sees it; steps are batches, `warm` of them warm up."""

    peak: float
    steps_per_epoch: int
    epochs: int
    warm: int
    options: Mapping[str, Any]

    @property
    def rest(self) -> int:
        """Batches after the warm-up; Keras wants one at least."""
        return max(1, self.steps_per_epoch * self.epochs - self.warm)


def make_schedule(
    name: str,
    peak: float,
    *,
    steps_per_epoch: int,
    epochs: int,
    accumulate: int = 1,
    options: Mapping[str, Any] | None = None,
) -> float | schedules.LearningRateSchedule:
    """Return the learning rate of a run for `kseg.training.optimizers.make_optimizer`.

    Args:
        name: "constant", "step", "cosine", "polynomial", "one_cycle" or "plateau".
        peak: The highest rate.
        steps_per_epoch: Batches per epoch.
        epochs: Epochs of the run.
        accumulate: Batches per update; a warm-up has one update at least.
        options: Options of the schedule, see `schedule_options`.

    Returns:
        A number where the rate stays the same ("constant" without warm-up, and "plateau", whose
        work is done by the callback `kseg.training.plateau.Plateau`), else a schedule.

    Raises:
        ValueError: An unknown name or option, a value out of range, or a run without an update.
    """
    chosen = schedule_options(name, options)
    total = steps_per_epoch * epochs
    if total < accumulate:
        raise ValueError(
            f"the run has {total} batches, but an update needs {accumulate}: "
            "lower --accumulate or raise --epochs"
        )
    share = chosen.pop("warm_up", 0.0)
    warm = max(accumulate, round(share * total)) if share else 0
    return _BUILDERS[name](_Run(float(peak), steps_per_epoch, epochs, warm, chosen))


def _constant(run: _Run):
    if not run.warm:
        return run.peak
    return schedules.PolynomialDecay(0.0, run.warm, run.peak, power=1.0)


def _cosine(run: _Run):
    end = run.options["end"]
    if not run.warm:
        return schedules.CosineDecay(run.peak, run.rest, alpha=end)
    return schedules.CosineDecay(
        0.0, run.rest, alpha=end, warmup_target=run.peak, warmup_steps=run.warm
    )


def _polynomial(run: _Run):
    end, power = run.options["end"], run.options["power"]
    return _warmed(run, schedules.PolynomialDecay(run.peak, run.rest, end * run.peak, power))


def _step(run: _Run):
    epochs, factor = run.options["epochs"], run.options["factor"]
    if epochs is None:
        falls: Sequence[int] = [math.ceil(n * run.rest / _TEN) for n in range(1, _TEN)]
        factor = factor or _LAST_OF_TEN ** (1 / (_TEN - 1))
    else:
        if epochs[-1] >= run.epochs:
            raise ValueError(
                f"option epochs of the schedule 'step' is {list(epochs)}, but the run has "
                f"{run.epochs} epochs: give numbers of finished epochs below it"
            )
        falls = [epoch * run.steps_per_epoch - run.warm for epoch in epochs]
        factor = factor or 0.1
        if falls[0] < 1:
            raise ValueError(
                f"the warm-up of the schedule 'step' lasts {run.warm} batches, past epoch "
                f"{epochs[0]}, where the rate falls: lower warm_up"
            )
    # Keras' boundaries are the last batches before a change.
    boundaries = [fall - 1 for fall in falls]
    values = [run.peak * factor**n for n in range(len(falls) + 1)]
    return _warmed(run, schedules.PiecewiseConstantDecay(boundaries, values))


def _one_cycle(run: _Run):
    return OneCycle(run.peak, run.steps_per_epoch * run.epochs, **run.options)


def _warmed(run: _Run, schedule: schedules.LearningRateSchedule):
    return WarmUp(run.peak, run.warm, schedule) if run.warm else schedule


_BUILDERS: dict[str, Callable[[_Run], float | schedules.LearningRateSchedule]] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
    "polynomial": _polynomial,
    "one_cycle": _one_cycle,
    "plateau": lambda run: run.peak,
}
