"""The network with its sizes, the optimizer, and the course of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kseg.training.optimizers import DEFAULT_LEARNING_RATES, known_optimizer
from kseg.training.propose.budget import Budget
from kseg.training.propose.decision import Decision
from kseg.training.propose.facts import Facts, by
from kseg.training.propose.networks import wanted_size
from kseg.training.propose.plan import SMALLEST_BATCH, Fit, Plan, batch_sizes

# Shares of the optimizer's own rate.
_SMALL_BATCH_SHARE, _PRETRAINED_SHARE = 0.5, 0.3
_LONG_RUN = 100
_PATIENCE = 4
_FROZEN = 5


def network_decisions(
    facts: Facts, budget: Budget, given: Mapping[str, Any], plan: Plan
) -> list[Decision]:
    """Return the model, the input size and the batch sizes."""
    fit = plan.fit
    decisions = [
        Decision("model_name", fit.network.name, _why_model(facts, budget, fit)),
        *_options(given, fit),
        *_size(facts, budget, fit),
    ]
    return [
        *decisions,
        Decision("train_batch_size", fit.batch, _why_batch(facts, budget, given, fit)),
        Decision("val_batch_size", fit.batch, "as in training"),
    ]


def run_decisions(
    facts: Facts, budget: Budget, given: Mapping[str, Any], plan: Plan
) -> list[Decision]:
    """Return optimizer, learning rate, schedule and epochs."""
    epochs = f"{plan.steps * plan.epochs} steps of {plan.fit.batch} images"
    return [
        Decision("optimizer_name", "adam", "forgiving about the learning rate"),
        _learning_rate(given, plan.fit),
        Decision("lr_schedule", "cosine", "a short warm-up, then down to a hundredth at the end"),
        *_precision(budget),
        Decision("epochs", plan.epochs, f"{epochs}, about {duration(plan.minutes)}"),
        *_freezing(given, plan),
        *_validation(facts, given, plan),
    ]


def duration(minutes: float) -> str:
    """Return a time as text."""
    if minutes < 1:
        return f"{60 * minutes:.0f} seconds"
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


def _why_model(facts: Facts, budget: Budget, fit: Fit) -> str:
    weights = f"{fit.cost.parameters / 1e6:.2g} million weights"
    if fit.network.encoder:
        return f"full-size features over {fit.network.encoder}, {weights}"
    return (
        f"details at full size, and {weights}: a size for {facts.train} images on a {budget.device}"
    )


def _options(given: Mapping[str, Any], fit: Fit) -> list[Decision]:
    decisions = []
    if fit.network.options and "model_options" not in given:
        reason = f"{fit.cost.macs / 1e9:.2g} billion multiply-adds for an image of {by(fit.size)}"
        decisions.append(Decision("model_options", dict(fit.network.options), reason))
    if fit.network.encoder and "encoder" not in given:
        reason = "it has ImageNet weights, and this is the size for the device"
        decisions.append(Decision("encoder", fit.network.encoder, reason))
    return decisions


def _size(facts: Facts, budget: Budget, fit: Fit) -> list[Decision]:
    median, wanted = facts.sizes.median, wanted_size(facts, budget)
    reason = f"the multiple of 32 nearest to the median size {by(median)}"
    if wanted[0] * wanted[1] < 0.8 * median[0] * median[1]:
        reason = f"{by(median)} is the median size, more than a {budget.device} should begin with"
    if fit.size != wanted:
        reason = f"{by(wanted)} would suit the data, this is what memory and time allow"
    return [
        Decision("input_height", fit.size[0], reason),
        Decision("input_width", fit.size[1], "likewise"),
    ]


def _why_batch(facts: Facts, budget: Budget, given: Mapping[str, Any], fit: Fit) -> str:
    largest = batch_sizes(facts, budget, given)[0]
    if fit.batch < largest:
        reason = f"the largest power of two that fits {budget.memory_gb:.3g} GB"
    elif fit.batch <= SMALLEST_BATCH:
        reason = f"the smallest that batch normalisation works with, for {facts.train} images"
    else:
        reason = f"larger ones gain nothing with {facts.train} images on a {budget.device}"
    return f"{reason}; a step takes about {fit.memory_gb:.2g} GB"


def _learning_rate(given: Mapping[str, Any], fit: Fit) -> Decision:
    if "encoder_weights" in given:
        share, reason = _PRETRAINED_SHARE, "low, to keep what the encoder knows"
    elif fit.batch <= 2:
        share, reason = _SMALL_BATCH_SHARE, "half the usual for a very small batch"
    else:
        share, reason = 1.0, "the usual one of the optimizer"
    return Decision("learning_rate", float(f"{share * _usual_rate(given):.3g}"), reason)


def _usual_rate(given: Mapping[str, Any]) -> float:
    return DEFAULT_LEARNING_RATES[known_optimizer(given.get("optimizer_name", "adam"))]


def _precision(budget: Budget) -> list[Decision]:
    if budget.device == "cpu":
        return []
    reason = "exact everywhere; mixed_bfloat16 is quicker and smaller on GPUs of 2020 and later"
    return [Decision("precision", "float32", reason)]


def _freezing(given: Mapping[str, Any], plan: Plan) -> list[Decision]:
    epochs = plan.epochs // _FROZEN
    if not epochs or "encoder_weights" not in given or "unfreeze_epochs" in given:
        return []
    why = "a new decoder's first gradients would spoil the encoder: it rests a fifth of the run"
    rate, usual = _usual_rate(given), "the usual one while only the decoder learns"
    return [
        Decision("freeze_epochs", epochs, why),
        Decision("freeze_learning_rate", rate, usual),
    ]


def _validation(facts: Facts, given: Mapping[str, Any], plan: Plan) -> list[Decision]:
    if not given.get("validate", True):
        return []
    if not facts.val:
        return [Decision("validate", False, "there are no validation images")]
    decisions = [Decision("validate", True, f"{facts.val} images choose the best checkpoint")]
    if plan.epochs >= _LONG_RUN:
        patience = plan.epochs // _PATIENCE
        reason = "a quarter of the epochs without a better score, and the run ends"
        decisions.append(Decision("early_stopping", patience, reason))
    return decisions
