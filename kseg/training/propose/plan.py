"""Network, input size, batch size and epochs that fit memory and time together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kseg.training.propose.budget import Budget
from kseg.training.propose.cost import (
    FORWARD_AND_BACKWARD,
    Cost,
    Network,
    image_cost,
    loss_maps,
    training_gb,
)
from kseg.training.propose.facts import Facts, Size, by
from kseg.training.propose.networks import candidates

SMALLEST_BATCH = 2
"""Statistics of batch normalisation over one image are too rough."""

_LARGEST_BATCH = {"cpu": 4, "gpu": 16}
_BATCH_SHARE = 0.1

_WANTED_STEPS = {"cpu": 2_000, "gpu": 20_000}
_FEWEST_STEPS = 600
_FEWEST_EPOCHS, _MOST_EPOCHS = 10, 500
# The rest is for looking at the files, checkpoints and pictures.
_TRAINING_SHARE = 0.8
_SECONDS_PER_STEP = 0.02


@dataclass(frozen=True)
class Fit:
    """A network, an input size and a batch size, and the memory that they need.

    Attributes:
        network: The model.
        size: Height and width of the input.
        batch: Images per step.
        cost: What one image costs.
        memory_gb: Estimated memory of a step.
    """

    network: Network
    size: Size
    batch: int
    cost: Cost
    memory_gb: float

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.network} at {by(self.size)} in batches of {self.batch}"


@dataclass(frozen=True)
class Plan:
    """A training that fits the memory.

    Attributes:
        fit: Network and sizes.
        steps: Steps per epoch.
        epochs: Passes over the training images.
        affordable: As many of them as there is time for.
        epoch_seconds: Estimated time of an epoch, with validation.
        other_seconds: Estimated time of the final scores.
        enough: The time allows a sensible number of steps.
    """

    fit: Fit
    steps: int
    epochs: int
    affordable: int
    epoch_seconds: float
    other_seconds: float
    enough: bool

    @property
    def minutes(self) -> float:
        """Estimated time of the whole run."""
        return self.minutes_for(self.epochs)

    def minutes_for(self, epochs: int) -> float:
        """Return the estimated time of a run of so many epochs."""
        return (epochs * self.epoch_seconds + self.other_seconds) / _TRAINING_SHARE / 60


def find_plan(
    facts: Facts, budget: Budget, given: Mapping[str, Any], loss: tuple[str, Mapping[str, Any]]
) -> Plan:
    """Return the first candidate that fits memory and time, else the one with the most steps.

    Args:
        facts: The data set.
        budget: Memory and time.
        given: Settings that are decided already.
        loss: Name and options of the loss.

    Raises:
        ValueError: Too few images, or too little memory or time for any candidate.
    """
    fits, plans = [], []
    for network, size in candidates(facts, budget, given):
        fit = _fit(facts, budget, given, network, size, loss_maps(*loss))
        fits.append(fit)
        if fit.memory_gb > budget.memory_gb:
            continue
        plans.append(_timed(fit, facts, budget, given))
        if plans[-1].enough:
            return plans[-1]
    if not plans:
        least = min(fits, key=lambda fit: fit.memory_gb)
        raise ValueError(
            f"{budget.memory_gb:.2g} GB of memory are too little: {least} needs about "
            f"{least.memory_gb:.2g} GB; allow more, or give a smaller input, batch or model"
        )
    best = max(plans, key=lambda plan: plan.affordable * plan.steps)
    if best.affordable < 1:
        quickest = min(plans, key=lambda plan: plan.epoch_seconds + plan.other_seconds)
        raise ValueError(
            f"{budget.minutes:.3g} minutes are too little: one epoch of {quickest.fit} takes about "
            f"{quickest.minutes_for(1):.2g} minutes; allow more time, or take fewer images"
        )
    return best


def _fit(
    facts: Facts,
    budget: Budget,
    given: Mapping[str, Any],
    network: Network,
    size: Size,
    maps: int,
) -> Fit:
    """Return the largest batch that fits the memory, or the smallest if none does."""
    cost = image_cost(network, size, facts.channels, facts.num_classes)
    scores = size[0] * size[1] * facts.num_classes
    batches = batch_sizes(facts, budget, given)
    needs = [training_gb(cost, scores, batch, budget, maps=maps) for batch in batches]
    index = next((i for i, need in enumerate(needs) if need <= budget.memory_gb), -1)
    return Fit(network, size, batches[index], cost, needs[index])


def batch_sizes(facts: Facts, budget: Budget, given: Mapping[str, Any]) -> list[int]:
    """Return the batch sizes to try, largest first: powers of two, up to 10 % of the images.

    Raises:
        ValueError: Fewer images than the smallest of them.
    """
    smallest = given.get("train_batch_size", SMALLEST_BATCH)
    if facts.train < smallest:
        raise ValueError(
            f"{facts.name}: the training images, {facts.train} in all, are fewer than a batch of "
            f"{smallest}; add images"
        )
    if "train_batch_size" in given:
        return [smallest]
    most = min(_LARGEST_BATCH[budget.device], max(SMALLEST_BATCH, _BATCH_SHARE * facts.train))
    return [2**power for power in range(int(math.log2(most)), 0, -1)]


def _timed(fit: Fit, facts: Facts, budget: Budget, given: Mapping[str, Any]) -> Plan:
    """Return how long the epochs of a fit take and how many there should be."""
    steps = max(1, facts.train // fit.batch)
    image_seconds = fit.cost.macs / budget.rate
    epoch = steps * (fit.batch * FORWARD_AND_BACKWARD * image_seconds + _SECONDS_PER_STEP)
    epoch += image_seconds * (facts.val if given.get("validate", True) else 0)
    other = image_seconds * facts.test
    decided = _given_epochs(given)
    wanted = decided or _wanted_epochs(steps, budget)
    if budget.minutes is None:
        return Plan(fit, steps, wanted, wanted, epoch, other, enough=True)
    affordable = int((60 * _TRAINING_SHARE * budget.minutes - other) / epoch)
    affordable = max(0, min(wanted, affordable))
    if decided:
        return Plan(fit, steps, wanted, affordable, epoch, other, enough=affordable == wanted)
    enough = affordable == wanted or affordable * steps >= _FEWEST_STEPS
    return Plan(fit, steps, affordable, affordable, epoch, other, enough)


def _given_epochs(given: Mapping[str, Any]) -> int | None:
    if given.get("unfreeze_epochs") is not None:
        return given.get("freeze_epochs", 0) + given["unfreeze_epochs"]
    return given.get("epochs")


def _wanted_epochs(steps: int, budget: Budget) -> int:
    wanted = math.ceil(_WANTED_STEPS[budget.device] / steps)
    return min(max(wanted, _FEWEST_EPOCHS), _MOST_EPOCHS)
