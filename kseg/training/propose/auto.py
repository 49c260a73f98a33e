"""`kseg train --auto`: look at the data set, propose settings, write and explain them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from kseg.config import TrainConfig
from kseg.data.check import Survey
from kseg.training.inputs import opened_dataset
from kseg.training.propose.budget import Budget, machine_budget
from kseg.training.propose.explain import explain
from kseg.training.propose.inspection import inspect
from kseg.training.propose.measure import measure_rate
from kseg.training.propose.proposal import Proposal, given_settings, propose, refuse_windows
from kseg.training.propose.write import write_proposal

_ROUNDS = 3


def auto(
    config: TrainConfig, budget: Budget | None = None, *, console: Console | None = None
) -> Path:
    """Write proposed settings to TRAIN_SAVE_PATH/EXP_NAME/auto.yaml, print them, return the path.

    Settings of `config` that are not the defaults are kept. With a limit of time a few training
    steps of the proposed network are measured and the proposal is made again, until the network
    stays the same.

    Args:
        config: What the user decided: the data set at least.
        budget: Memory and time; by default those of this machine, without a limit of time.
        console: Where to print.

    Raises:
        ValueError: The data set is at fault, the budget too small, windows are given, or the file
            is there already.
    """
    given = given_settings(config)
    refuse_windows(given)
    dataset = opened_dataset(config)
    facts = inspect(dataset, Survey(dataset, config.workers))
    proposal = propose(facts, budget or machine_budget(), given, config_class=type(config))
    if proposal.budget.minutes is not None and proposal.budget.macs_per_second is None:
        proposal = _with_measured_rate(proposal, given)
    folder = Path(config.train_save_path) / proposal.values["exp_name"]
    path = write_proposal(proposal, folder / "auto.yaml", overwrite=config.overwrite)
    explain(proposal, path, console)
    return path


def _with_measured_rate(proposal: Proposal, given: dict[str, Any]) -> Proposal:
    for _ in range(_ROUNDS):
        before = proposal.plan.fit
        budget = replace(proposal.budget, macs_per_second=measure_rate(proposal))
        proposal = propose(proposal.facts, budget, given, config_class=proposal.config_class)
        if proposal.plan.fit == before:
            break
    return proposal
