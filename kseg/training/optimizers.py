"""Optimizers by Keras' names, with learning rates that suit them."""

from __future__ import annotations

import difflib

import keras

DEFAULT_LEARNING_RATES = {
    "sgd": 1e-2,
    "adam": 1e-3,
    "adamw": 1e-3,
    "nadam": 1e-3,
    "adamax": 2e-3,
    "rmsprop": 1e-3,
    "adagrad": 1e-2,
    "adadelta": 1.0,
    "adafactor": 1e-2,
    "lamb": 1e-3,
    "lion": 1e-4,
}
"""Keras' own default for Adadelta, 0.001, slows the method down a thousand times: Zeiler's paper
(2012, arXiv 1212.5701) has no learning rate, which is 1.0. Adafactor's is a share of the size of
the weights; 0.01 is that of its paper (Shazeer, Stern, 2018, arXiv 1804.04235)."""


_CLASSES = {
    name.lower(): getattr(keras.optimizers, name)
    for name in (
        *("SGD", "Adam", "AdamW", "Nadam", "Adamax", "RMSprop"),
        *("Adagrad", "Adadelta", "Adafactor", "Lamb", "Lion"),
    )
}
_REFUSED = {
    "ftrl": "its first step wipes out the initial weights, which deep networks need",
    "muon": "Keras' Muon treats kernels of convolutions as AdamW does; take adamw",
    "schedulefreeadamw": "Keras never puts its mean weights into the model; take adamw with ema",
}


def make_optimizer(
    name: str,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    *,
    weight_decay: float | None = None,
    clip_norm: float | None = None,
    accumulate: int = 1,
    ema: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Return an optimizer; SGD has Nesterov momentum 0.9.

    Args:
        name: Keras' name in any case, such as "adam".
        learning_rate: A number, or what `kseg.training.schedules.make_schedule` returns.
        weight_decay: Share by which weights shrink per update, times the learning rate; None is
            Keras' own, 0.004 for AdamW and none for the others. See `exclude_from_decay`.
        clip_norm: Longest gradient, as the norm over all weights together.
        accumulate: Batches whose mean gradient makes one update.
        ema: Momentum of the running mean of the weights, per update, below 1; 0 keeps none.

    Raises:
        ValueError: An unknown name, or a number out of range.
    """
    key = known_optimizer(name)
    options: dict = {"momentum": 0.9, "nesterov": True} if key == "sgd" else {}
    _check("weight_decay", weight_decay, weight_decay is None or weight_decay >= 0, "at least 0")
    _check("clip_norm", clip_norm, clip_norm is None or clip_norm > 0, "above 0")
    _check("accumulate", accumulate, accumulate >= 1, "at least 1")
    _check("ema", ema, 0 <= ema < 1, "at least 0 and below 1")
    if weight_decay is not None:
        options["weight_decay"] = float(weight_decay)
    if accumulate > 1:
        options["gradient_accumulation_steps"] = accumulate
    if ema:
        # Keras takes the mean after every batch, also after those that change nothing.
        options.update(use_ema=True, ema_momentum=ema ** (1 / accumulate))
    if not callable(learning_rate):
        learning_rate = float(learning_rate)
    return _CLASSES[key](learning_rate, global_clipnorm=clip_norm, **options)


def exclude_from_decay(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> None:
    """Keep the weight decay of an optimizer to kernels: no bias, gamma, beta or embedding shrinks.

    Call it before the first step, and again on every model loaded from a file: Keras keeps the
    choice with the variables of this process and does not save it.

    Args:
        optimizer: The model's optimizer; a `LossScaleOptimizer` hands it on to the one inside.
        model: A model that is built. Frozen layers count too, for when they are set free.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner.exclude_from_weight_decay([v for v in model.weights if "kernel" not in v.name])


def known_optimizer(name: str) -> str:
    """Return the key of an optimizer in `DEFAULT_LEARNING_RATES`.

    Raises:
        ValueError: An unknown name, or an optimizer that does not suit these models.
    """
    key = name.lower()
    if key in _CLASSES:
        return key
    if key in _REFUSED:
        raise ValueError(f"optimizer {name!r} does not suit these models: {_REFUSED[key]}")
    close = difflib.get_close_matches(key, _CLASSES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"unknown optimizer {name!r}: {hint}known are {', '.join(_CLASSES)}")


def _check(name: str, value: float | None, fits: bool, words: str) -> None:
    if not fits:
        raise ValueError(f"{name} must be {words}, got {value}")
