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
    "lion": 1e-4,
}
"""Keras' own default for Adadelta, 0.001, slows the method down a thousand times: Zeiler's paper
(2012, arXiv 1212.5701) has no learning rate, which is 1.0."""


_LOWEST_SHARE = 0.01
_WARM_UP_SHARE = 0.05


def get_optimizer(
    name: str,
    learning_rate: float | None = None,
    schedule: str = "constant",
    total_steps: int = 1,
) -> keras.optimizers.Optimizer:
    """Return an optimizer; SGD has Nesterov momentum 0.9.

    Args:
        name: Keras' name in any case, such as "adam".
        learning_rate: None takes the value of `DEFAULT_LEARNING_RATES`.
        schedule: "constant", or "cosine": up to the rate along a line in the first twentieth of
            the steps, then down to a hundredth of it along half a cosine wave (Loshchilov and
            Hutter, SGDR, 2016, arXiv 1608.03983, without restarts).
        total_steps: Steps of the whole run.

    Raises:
        ValueError: An unknown name.
    """
    key = name.lower()
    if key not in DEFAULT_LEARNING_RATES:
        close = difflib.get_close_matches(key, DEFAULT_LEARNING_RATES, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        known = ", ".join(DEFAULT_LEARNING_RATES)
        raise ValueError(f"unknown optimizer {name!r}: {hint}known are {known}")
    rate = DEFAULT_LEARNING_RATES[key] if learning_rate is None else learning_rate
    if schedule == "cosine":
        warm_up = max(1, round(_WARM_UP_SHARE * total_steps))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, total_steps - warm_up),
            alpha=_LOWEST_SHARE,
            warmup_target=rate,
            warmup_steps=warm_up,
        )
    momentum = {"momentum": 0.9, "nesterov": True} if key == "sgd" else {}
    config = {"learning_rate": rate, **momentum}
    return keras.optimizers.get({"class_name": key, "config": config})
