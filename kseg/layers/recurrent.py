"""Convolutions that see their own output again.

Alom, Hasan, Yakopcic, Taha, Asari, 2018, arXiv 1802.06955.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import KerasTensor, layers, ops

from kseg.layers.conv import BATCH_NORM_MOMENTUM, conv, conv_bn_relu

Unit = Callable[..., KerasTensor]


@keras.saving.register_keras_serializable(package="kseg")
class RecurrentBatchNorm(layers.BatchNormalization):
    """Batch normalisation whose statistics are those of the first of several repetitions.

    With statistics of its own each repetition would be scaled differently in training, and all
    by one mixture of them in inference, which ruins what was learned (Cooijmans et al., 2016,
    arXiv 1603.09025, keep statistics for each; one set needs no more weights than one layer).
    """

    def call(self, x, like=None, training=None):
        if like is None:
            return super().call(x, training=training)
        exact = self.variable_dtype
        mean, variance = self.moving_mean, self.moving_variance
        if training and self.trainable:
            mean, variance = ops.moments(ops.cast(like, exact), axes=self._reduction_axes)
        outputs = ops.batch_normalization(
            ops.cast(x, exact),
            mean,
            variance,
            axis=self.axis,
            offset=self.beta,
            scale=self.gamma,
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)


def recurrent_conv(x: KerasTensor, *, steps: int = 2, name: str) -> KerasTensor:
    """Apply `y_0 = f(x)`, then `steps` times `y_t = f(x + y_(t-1))`; return the last.

    `f` is one 3x3 conv-BN-ReLU: every step uses the same weights and the same statistics, those of
    `f(x)`, so that steps deepen the network without adding parameters.

    Args:
        x: Features `(N, H, W, C)`; the result has the same shape.
        steps: Number of repetitions, at least 0.
        name: First part of the layers' names.
    """
    convolve = layers.Conv2D(x.shape[-1], 3, padding="same", name=f"{name}_conv")
    normalize = RecurrentBatchNorm(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn")
    rectify = layers.ReLU(name=f"{name}_relu")
    first = convolve(x)
    y = rectify(normalize(first))
    for step in range(1, steps + 1):
        repeated = convolve(layers.Add(name=f"{name}_add{step}")([x, y]))
        y = rectify(normalize(repeated, like=first))
    return y


def doubled_conv(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply two 3x3 conv-BN-ReLU with the features doubled between them.

    Not recurrent: the founding project's stand-in for `recurrent_conv`, kept for its weights.
    """
    x = conv_bn_relu(x, x.shape[-1], name=f"{name}_a")
    x = layers.Add(name=f"{name}_add")([x, x])
    return conv_bn_relu(x, x.shape[-1], name=f"{name}_b")


def recurrent_residual(
    x: KerasTensor, filters: int, *, unit: Unit = recurrent_conv, name: str
) -> KerasTensor:
    """Apply a 1x1 convolution to `filters` channels, then two units around a shortcut."""
    x = conv(x, filters, 1, name=f"{name}_in")
    y = unit(unit(x, name=f"{name}_a"), name=f"{name}_b")
    return layers.Add(name=f"{name}_add")([x, y])
