"""Updates of weights by one kernel for each, where Keras composes them of a dozen operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

_Kernel = Callable[[Any, int, Any], None]


def use_own_update(optimizer: keras.optimizers.Optimizer, jit: bool | str) -> None:
    """Let an optimizer change each weight by one kernel of TensorFlow.

    This holds for the steps of Adam, AdamW and SGD with momentum, and for weight decay and mean
    weights of every optimizer that computes them as Keras' others do. The formulas are Keras', so
    results are the same up to rounding. What is gained is the time until the first step is done:
    of models with hundreds of weights, TensorFlow spends more than half of it on tracing updates.
    Nothing is done on other backends, with XLA, or on several devices; neither settings nor files
    change.

    Args:
        optimizer: It is changed in place; of a `LossScaleOptimizer` the one inside is.
        jit: What the model is compiled with.
    """
    if keras.backend.backend() != "tensorflow" or jit is not False or _on_several_devices():
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for method, own in _OF_ALL.items():
        # Muon has a weight decay of its own.
        if getattr(type(inner), method) is getattr(keras.optimizers.Optimizer, method):
            setattr(inner, method, partial(own, inner))
    kernel = _kernel_of(inner)
    if kernel is not None:
        inner._backend_update_step = partial(_step, inner, kernel)


def _kernel_of(optimizer: keras.optimizers.Optimizer) -> Callable | None:
    kind = type(optimizer)
    if kind in (keras.optimizers.Adam, keras.optimizers.AdamW) and not optimizer.amsgrad:
        return _adam
    return _momentum if kind is keras.optimizers.SGD and optimizer.momentum else None


def _on_several_devices() -> bool:
    import tensorflow as tf

    return tf.distribute.has_strategy()


def _step(
    optimizer: Any, kernel: Callable, gradients: Sequence, variables: Sequence, learning_rate: Any
) -> None:
    apply = kernel(optimizer, ops.cast(learning_rate, "float32"))
    for gradient, variable in zip(gradients, map(_of_tensorflow, variables), strict=True):
        if _fits(gradient) and _fits(variable):
            apply(variable.handle, optimizer._get_variable_index(variable), gradient)
        else:
            optimizer.update_step(gradient, variable, learning_rate)


def _decay(optimizer: Any, variables: Sequence) -> None:
    if optimizer.weight_decay is None:
        return
    # Read once: it may be a schedule.
    share = ops.cast(optimizer.learning_rate, "float32") * optimizer.weight_decay
    for variable in map(_of_tensorflow, variables):
        if optimizer._use_weight_decay(variable):
            _move(variable, share, variable)


def _average(optimizer: Any, variables: Sequence) -> None:
    """Move the mean of each weight towards it, in the first step all the way."""
    share = ops.where(optimizer.iterations == 0, 1.0, 1 - optimizer.ema_momentum)
    for variable, mean in zip(variables, optimizer._model_variables_moving_average, strict=True):
        if mean is not None:
            _move(_of_tensorflow(mean), share, mean - variable)


def _move(variable: Any, share: Any, difference: Any) -> None:
    """Take a share of a difference from a variable."""
    import tensorflow as tf

    if _fits(variable):
        tf.raw_ops.ResourceApplyGradientDescent(
            var=variable.handle, alpha=share, delta=ops.convert_to_tensor(difference)
        )
    else:
        variable.assign_sub(tf.cast(share, variable.dtype) * difference)


_OF_ALL = {
    "_apply_weight_decay": _decay,
    "_update_model_variables_moving_average": _average,
}


def _of_tensorflow(variable: Any) -> Any:
    """Return the variable of TensorFlow inside one of Keras."""
    return variable._value if isinstance(variable, keras.Variable) else variable


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
            m=_of_tensorflow(momentum).handle,
            v=_of_tensorflow(velocity).handle,
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
            accum=_of_tensorflow(optimizer.momentums[index]).handle,
            lr=learning_rate,
            grad=gradient,
            momentum=momentum,
            use_nesterov=optimizer.nesterov,
        )

    return apply
