"""Settings of a training proposed from the data set and a budget: `kseg train --auto`."""

from kseg.training.propose.auto import auto
from kseg.training.propose.budget import Budget, machine_budget
from kseg.training.propose.decision import Decision
from kseg.training.propose.explain import explain
from kseg.training.propose.facts import Classes, Facts, Shapes, Sizes
from kseg.training.propose.inspection import inspect
from kseg.training.propose.measure import measure_rate
from kseg.training.propose.proposal import Proposal, given_settings, propose
from kseg.training.propose.write import write_proposal

__all__ = [
    "Budget",
    "Classes",
    "Decision",
    "Facts",
    "Proposal",
    "Shapes",
    "Sizes",
    "auto",
    "explain",
    "given_settings",
    "inspect",
    "machine_budget",
    "measure_rate",
    "propose",
    "write_proposal",
]
