"""The running mean of the weights that an optimizer with `use_ema` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


def has_averages(model: keras.Model) -> bool:
    """Tell whether the model's optimizer keeps a mean of the weights."""
    optimizer = model.optimizer
    return bool(getattr(optimizer, "inner_optimizer", optimizer).use_ema)


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[bool]:
    """Put the mean in place of the weights for a while; yield whether there is one."""
    if not has_averages(model):
        yield False
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    swap.on_test_begin()
    try:
        yield True
    finally:
        swap.on_test_end()


def settle_on_averages(model: keras.Model) -> None:
    """Let the mean become the weights, as at the end of `fit`."""
    if has_averages(model):
        model.optimizer.finalize_variable_values(model.trainable_variables)
