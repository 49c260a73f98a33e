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
        schedule: "constant", or "cosine": down to a hundredth of the rate along half a cosine
            wave (Loshchilov and Hutter, SGDR, 2016, arXiv 1608.03983, without restarts).
        total_steps: Length of the wave.

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
        rate = keras.optimizers.schedules.CosineDecay(rate, total_steps, alpha=_LOWEST_SHARE)
    momentum = {"momentum": 0.9, "nesterov": True} if key == "sgd" else {}
    config = {"learning_rate": rate, **momentum}
    return keras.optimizers.get({"class_name": key, "config": config})
