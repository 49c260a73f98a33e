"""From facts and a budget to settings: the rules put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from kseg.config import TrainConfig
from kseg.training.propose.budget import Budget
from kseg.training.propose.data_rules import data_decisions
from kseg.training.propose.decision import Decision
from kseg.training.propose.facts import Facts
from kseg.training.propose.loss_rules import loss_decisions
from kseg.training.propose.notes import find_notes
from kseg.training.propose.plan import Plan, find_plan
from kseg.training.propose.run_rules import network_decisions, run_decisions

_ACTIONS = ("resume", "overwrite", "lr_find")
_WINDOWS = ("crop_height", "crop_width", "crops_per_image", "crop_foreground", "val_crops")


@dataclass(frozen=True)
class Proposal:
    """Settings with their reasons.

    Attributes:
        facts: The data set.
        budget: What the run may use.
        plan: Network, sizes, and what they cost.
        decisions: The settings, in the order of the fields of `TrainConfig`.
        notes: What else is worth knowing.
        config_class: Config of the command that the settings are for.
    """

    facts: Facts
    budget: Budget
    plan: Plan
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()
    config_class: type[TrainConfig] = TrainConfig

    @property
    def values(self) -> dict[str, Any]:
        """The settings by name."""
        return {one.name: one.value for one in self.decisions}

    def config(self) -> TrainConfig:
        """Return the settings as the command takes them."""
        return self.config_class(**self.values)


def propose(
    facts: Facts,
    budget: Budget,
    given: Mapping[str, Any] | None = None,
    *,
    config_class: type[TrainConfig] = TrainConfig,
) -> Proposal:
    """Propose the settings of a training; the same facts and budget give the same ones.

    The rules are in the spirit of nnU-Net (Isensee et al. 2021, arXiv:1904.08128): a plain U-Net,
    inputs near the median size, the batch from the memory, Dice in the loss. Unlike there whole
    images are resized instead of cut, sizes shrink before the network does, and the time is a
    limit too, because runs on a CPU are meant as well.

    Args:
        facts: The data set.
        budget: Memory, time and device.
        given: Settings that are decided already; they are kept, and the others fit them.
        config_class: Config of the command that the settings are for. Defaults of its own that no
            rule decides are proposed too, so that the file says all.

    Raises:
        ValueError: Too few images, no labelled pixels, too little memory or time, or a setting
            of `given` that is wrong.
    """
    given = dict(given or {})
    refuse_windows(given)
    _check(facts)
    loss = loss_decisions(facts, given, config_class.loss)
    plan = find_plan(facts, budget, given, _name_and_options(loss, given))
    chosen = {
        one.name: one
        for one in (
            *_own_defaults(config_class),
            *_start(facts),
            *loss,
            *network_decisions(facts, budget, given, plan),
            *data_decisions(facts, budget, plan),
            *run_decisions(facts, budget, given, plan),
        )
    }
    chosen |= {name: Decision(name, value, "as you said") for name, value in given.items()}
    known = [one.name for one in fields(TrainConfig)]
    decisions = tuple(chosen[name] for name in known if name in chosen)
    notes = find_notes(facts, budget, given, plan)
    proposal = Proposal(facts, budget, plan, decisions, notes, config_class)
    proposal.config()  # checks the ranges
    return proposal


def given_settings(config: TrainConfig) -> dict[str, Any]:
    """Return the settings of `config` that differ from the defaults: those the user decided.

    What one start does, such as `resume` and all that begins with `auto`, is left out.
    """
    return {
        one.name: getattr(config, one.name)
        for one in fields(config)
        if getattr(config, one.name) != _default(one)
        and one.name not in _ACTIONS
        and not one.name.startswith("auto")
    }


def refuse_windows(given: Mapping[str, Any]) -> None:
    """Raise ValueError where windows are given: sizes, memory and time are those of whole images.

    Args:
        given: Settings that are decided already.
    """
    flags = " ".join(f"--{name}" for name in _WINDOWS if name in given)
    if flags:
        raise ValueError(
            f"--auto plans for whole images: leave {flags} out and add them to the file it writes"
        )


def _default(one: Any) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _check(facts: Facts) -> None:
    if not facts.classes.shown:
        raise ValueError(
            f"{facts.name}: no pixel of the training label maps counts; is --ignore_class right?"
        )


def _own_defaults(config_class: type[TrainConfig]) -> list[Decision]:
    usual = {one.name: _default(one) for one in fields(TrainConfig)}
    reason = f"the default of kseg {config_class.command}"
    return [
        Decision(one.name, _default(one), reason)
        for one in fields(config_class)
        if _default(one) != usual[one.name]
    ]


def _start(facts: Facts) -> list[Decision]:
    return [
        Decision("exp_name", "auto", "name of the run folder; change it for a second run"),
        Decision("dataset_name", facts.name, "the data set that was looked at"),
    ]


def _name_and_options(
    loss: list[Decision], given: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    values = {**{one.name: one.value for one in loss}, **given}
    return values["loss"], values.get("loss_options", {})
