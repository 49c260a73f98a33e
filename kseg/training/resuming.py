"""Which settings of a run a later start may change, and which it may not."""

from __future__ import annotations

from typing import Any

import keras
import yaml

from kseg.config import TrainConfig, parse_config
from kseg.runs import RunFolder
from kseg.training.phases import Phase, plan_phases

_OF_THE_MODEL = ("encoder", "encoder_weights", "model_options", "precision")
_OF_A_PHASE = ("optimizer_name", "weight_decay", "clip_norm", "accumulate", "ema", "aux_weight")


def refuse_change(name: str, stored: Any, wanted: Any) -> None:
    """Raise ValueError where a setting that must stay is another one than in the run to resume."""
    if stored != wanted:
        raise ValueError(
            f"--{name} is {wanted}, but the run to resume has {stored}; leave the flag out, or "
            "start a new run with another --exp_name"
        )


def refuse_changes(config: TrainConfig, run: RunFolder, epochs: int) -> None:
    """Refuse settings that would be written to the run's config file and not be applied.

    A checkpoint brings its own model, and in the middle of a phase its own optimizer. A run
    folder without a config file says nothing about them.

    Args:
        config: The settings.
        run: The run to resume.
        epochs: Its finished epochs.

    Raises:
        ValueError: A setting that must stay is another one than in the run's config file.
    """
    if not run.config.is_file():
        return
    before = parse_config(TrainConfig, ["--config", str(run.config)])
    _refuse_each(_OF_THE_MODEL, before, config)
    last, same = _phase_at(before, epochs), _phase_at(config, epochs)
    if last is None or same is None:
        return
    if (last.first, last.frozen) != (same.first, same.frozen):
        refuse_change("freeze_epochs", before.freeze_epochs, config.freeze_epochs)
    if any(phase.first == epochs for phase in plan_phases(config)):
        return
    _refuse_each(_OF_A_PHASE, before, config)
    if config.lr_schedule == "plateau":
        # The rate may have been lowered since, and nobody knows how far it should rise again.
        name = "freeze_learning_rate" if _has_own_rate(config, same) else "learning_rate"
        refuse_change(name, last.learning_rate, same.learning_rate)


def set_rate(
    optimizer: keras.optimizers.Optimizer,
    rate: float | keras.optimizers.schedules.LearningRateSchedule,
    schedule: str,
) -> None:
    """Give the optimizer of a run that is resumed in the middle of a phase its learning rate.

    Args:
        optimizer: As the checkpoint has it.
        rate: The schedule of the present settings, or their rate where it stays the same.
        schedule: Name of the schedule.

    Raises:
        ValueError: The rate of the checkpoint follows a schedule, and the new one is a number.
    """
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        optimizer.learning_rate = rate
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(inner.get_config()["learning_rate"], dict):
        raise ValueError(
            f"--lr_schedule {schedule}: the run to resume has begun with a schedule that changes "
            "the rate in every step, which Keras cannot turn into one number; leave the flag out, "
            "or start a new run with another --exp_name"
        )
    if schedule == "constant":
        optimizer.learning_rate = rate


def _refuse_each(names: tuple[str, ...], before: TrainConfig, config: TrainConfig) -> None:
    for name in names:
        refuse_change(name, *(_plain(getattr(one, name)) for one in (before, config)))


def _plain(value: Any) -> Any:
    """Return a value as a config file keeps it; names count in any case."""
    plain = yaml.safe_load(yaml.safe_dump(value))
    return plain.lower() if isinstance(plain, str) else plain


def _phase_at(config: TrainConfig, epochs: int) -> Phase | None:
    """Return the phase that the last finished epoch belongs to, if the run is so long."""
    phases = plan_phases(config)
    return next((one for one in phases if one.first < epochs <= one.last), None)


def _has_own_rate(config: TrainConfig, phase: Phase) -> bool:
    return phase.frozen and config.freeze_learning_rate is not None
