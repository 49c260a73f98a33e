"""What is worth knowing about a proposal and is no setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kseg.training.propose.budget import Budget
from kseg.training.propose.data_rules import FEW_IMAGES
from kseg.training.propose.facts import Facts, by
from kseg.training.propose.looks import lowest_scale, only_lines
from kseg.training.propose.plan import Plan
from kseg.training.propose.run_rules import duration

_SHRUNK = 0.5
_LONG_MINUTES = 120
# Scores of a class in float32, at the network's size and at the image's, and their copy.
_BYTES_PER_SCORE = 12


def find_notes(
    facts: Facts, budget: Budget, given: Mapping[str, Any], plan: Plan
) -> tuple[str, ...]:
    """Return what the user should know, a sentence each."""
    return (
        *_about_sizes(facts, budget, plan),
        *_about_time(budget, plan),
        *_about_data(facts, given),
    )


def _about_sizes(facts: Facts, budget: Budget, plan: Plan) -> Iterator[str]:
    median, size = facts.sizes.median, plan.fit.size
    if size[0] < max(_SHRUNK, 0.9 * lowest_scale(facts)) * median[0]:
        yield (
            f"images shrink from {by(median)} to {by(size)}: what is small or thin there may be "
            "lost; cut them into tiles before"
        )
    height, width = facts.sizes.largest
    scoring = height * width * facts.num_classes * _BYTES_PER_SCORE / 1e9
    if budget.device == "cpu" and scoring > budget.memory_gb:
        yield (
            f"scoring an image of {by(facts.sizes.largest)} takes about {scoring:.2g} GB; cut such "
            "images into tiles before"
        )


def _about_time(budget: Budget, plan: Plan) -> Iterator[str]:
    if budget.minutes is None and plan.minutes > _LONG_MINUTES:
        yield f"the run takes about {duration(plan.minutes)}; a limit of time makes it shorter"
    if budget.minutes is not None and not plan.enough:
        yield (
            f"{duration(budget.minutes)} are short: about {plan.affordable * plan.steps} steps fit "
            f"into them, {plan.epochs * plan.steps} take about {duration(plan.minutes)}"
        )


def _about_data(facts: Facts, given: Mapping[str, Any]) -> Iterator[str]:
    if facts.classes.missing:
        yield f"no training pixel is of {', '.join(facts.classes.missing)}"
    photographs = facts.channels == 3 and not facts.grey and not only_lines(facts)
    decided = {"encoder", "encoder_weights", "model_name"} & given.keys()
    if photographs and facts.train < 10 * FEW_IMAGES and not decided:
        yield (
            "few photographs: an encoder that has seen ImageNet helps; run again with "
            "--encoder_weights imagenet, which Keras downloads"
        )
