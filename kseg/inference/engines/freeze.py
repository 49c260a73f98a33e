"""Models that TensorFlow runs faster on a CPU: own kernels, weights as constants of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from kseg.inference.jit import jit_choice
from kseg.kernels import own_kernels

# While TensorFlow compiles a graph it holds several copies of its constants: weights of 26 million
# took 1.5 GB and 3 seconds more.
_MOST_WEIGHTS = 30_000_000


def quickened(model: keras.Model) -> keras.Model:
    """Return a model with the same answer that is not slower: frozen where that pays.

    Giants keep their variables and get the kernels alone. With XLA, or on another backend, it is
    the model itself.

    Args:
        model: One input and one output.
    """
    if jit_choice() is not False:
        return model
    return frozen(model) if model.count_params() <= _MOST_WEIGHTS else with_own_kernels(model)


def frozen(model: keras.Model) -> keras.Model:
    """Return a model with the same answer, whose weights can no longer change.

    oneDNN, which computes TensorFlow's convolutions on a CPU, then arranges the kernels once
    instead of for each batch, and computes normalisation and activation along with a convolution.

    Args:
        model: One input and one output.
    """
    trainable, rest = (
        [ops.convert_to_numpy(variable) for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )

    def call(inputs: Any) -> Any:
        with own_kernels(model, jit=False, constant=True):
            return model.stateless_call(trainable, rest, inputs, training=False)[0]

    return _calling(call, model)


def with_own_kernels(model: keras.Model) -> keras.Model:
    """Return a model with the same answer and the same variables, by kseg's kernels.

    Args:
        model: One input and one output.
    """

    def call(inputs: Any) -> Any:
        with own_kernels(model, jit=False):
            return model(inputs, training=False)

    return _calling(call, model)


def _calling(call: Callable[[Any], Any], model: keras.Model) -> keras.Model:
    """Return a model of the inputs and outputs of another one that calls a function."""
    (source,) = model.inputs
    inputs = keras.Input(batch_shape=source.shape, dtype=source.dtype, name=source.name)
    spec = KerasTensor(model.output.shape, model.output.dtype)
    return keras.Model(inputs, Call(call, spec, dtype=model.output.dtype)(inputs))


class Call(layers.Layer):
    """Applies a function.

    Args:
        function: From a tensor to a tensor. Keras does not look for weights in it.
        spec: Shape and type of what it returns.
        **options: Options of `Layer`.
    """

    def __init__(self, function: Callable[[Any], Any], spec: KerasTensor, **options):
        super().__init__(**options)
        self.function, self.spec = function, spec

    def call(self, inputs):
        """Return the function's result."""
        return self.function(inputs)

    def compute_output_spec(self, inputs):
        """Return what the function would return."""
        return self.spec
