"""Updates of weights by one kernel for each, where Keras composes them of a dozen operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

_Kernel = Callable[[Any, int, Any], None]


def use_own_update(optimizer: keras.optimizers.Optimizer, jit: bool | str) -> None:
    """Let Adam, AdamW and SGD with momentum change each weight by one kernel of TensorFlow.

    The formulas are Keras', so results are the same up to rounding. What is gained is the time
    until the first step is done: of models with hundreds of weights, TensorFlow spends half of
    it on tracing their updates. Nothing is done on other backends, with XLA, on several devices,
    or for other optimizers; neither settings nor files change.

    Args:
        optimizer: It is changed in place; of a `LossScaleOptimizer` the one inside is.
        jit: What the model is compiled with.
    """
    if keras.backend.backend() != "tensorflow" or jit is not False:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    kernel = _kernel_of(inner)
    if kernel is not None and not _on_several_devices():
        inner._backend_update_step = partial(_update, inner, kernel)


def _kernel_of(optimizer: keras.optimizers.Optimizer) -> Callable | None:
    kind = type(optimizer)
    if kind in (keras.optimizers.Adam, keras.optimizers.AdamW) and not optimizer.amsgrad:
        return _adam
    return _momentum if kind is keras.optimizers.SGD and optimizer.momentum else None


def _on_several_devices() -> bool:
    import tensorflow as tf

    return tf.distribute.has_strategy()


def _update(
    optimizer: Any, kernel: Callable, gradients: Sequence, variables: Sequence, learning_rate: Any
) -> None:
    apply = kernel(optimizer, ops.cast(learning_rate, "float32"))
    for gradient, variable in zip(gradients, variables, strict=True):
        variable = variable.value if isinstance(variable, keras.Variable) else variable
        if _fits(gradient) and _fits(variable):
            apply(variable.handle, optimizer._get_variable_index(variable), gradient)
        else:
            optimizer.update_step(gradient, variable, learning_rate)


def _fits(tensor: Any) -> bool:
    """Tell whether kernels take it: gradients of embeddings are lists of rows."""
    import tensorflow as tf

    return not isinstance(tensor, tf.IndexedSlices) and tensor.dtype == tf.float32


def _adam(optimizer: Any, learning_rate: Any) -> _Kernel:
    import tensorflow as tf

    step = ops.cast(optimizer.iterations + 1, "float32")
    settings = {
        "lr": learning_rate,
        "beta1": tf.constant(optimizer.beta_1),
        "beta2": tf.constant(optimizer.beta_2),
        "beta1_power": tf.pow(optimizer.beta_1, step),
        "beta2_power": tf.pow(optimizer.beta_2, step),
        "epsilon": tf.constant(optimizer.epsilon),
    }

    def apply(variable: Any, index: int, gradient: Any) -> None:
        momentum, velocity = optimizer._momentums[index], optimizer._velocities[index]
        tf.raw_ops.ResourceApplyAdam(
            var=variable,
            m=momentum._value.handle,
            v=velocity._value.handle,
            grad=gradient,
            **settings,
        )

    return apply


def _momentum(optimizer: Any, learning_rate: Any) -> _Kernel:
    import tensorflow as tf

    momentum = tf.constant(optimizer.momentum)

    def apply(variable: Any, index: int, gradient: Any) -> None:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable,
            accum=optimizer.momentums[index]._value.handle,
            lr=learning_rate,
            grad=gradient,
            momentum=momentum,
            use_nesterov=optimizer.nesterov,
        )

    return apply
