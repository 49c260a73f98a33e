"""What a proposal rests on, in a few lines."""

from __future__ import annotations

from kseg.training.propose.proposal import Proposal
from kseg.training.propose.run_rules import duration


def summary_lines(proposal: Proposal) -> list[str]:
    """Return the facts, the budget, the costs and the notes, a sentence each."""
    budget, plan = proposal.budget, proposal.plan
    limit = "no limit of time" if budget.minutes is None else duration(budget.minutes)
    source = "assumed" if budget.macs_per_second is None else "measured"
    return [
        *proposal.facts.lines(),
        f"budget: {budget.memory_gb:.3g} GB of memory on a {budget.device}, {limit}",
        f"estimate: {plan.fit.memory_gb:.2g} GB, {duration(plan.minutes)} at {source} "
        f"{budget.rate / 1e9:,.0f} billion multiply-adds per second",
        *(f"note: {note}" for note in proposal.notes),
    ]
