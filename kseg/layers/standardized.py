"""Weight standardisation and group normalisation, which together do without batch statistics."""

from __future__ import annotations

import math

import keras
from keras import KerasTensor, layers, ops

_VARIANCE_EPSILON = 1e-5


def group_norm(
    x: KerasTensor, *, groups: int = 32, epsilon: float = 1e-5, name: str
) -> KerasTensor:
    """Normalise groups of channels of each image; the layer is called `name`.

    Wu, He, 2018, arXiv 1803.08494. Fewer groups are made where `groups` does not divide the
    channels.
    """
    groups = math.gcd(groups, x.shape[-1])
    return layers.GroupNormalization(groups, epsilon=epsilon, name=name)(x)


@keras.saving.register_keras_serializable("kseg")
class StandardizedConv2D(layers.Conv2D):
    """A `Conv2D` whose kernel is brought to mean 0 and variance 1 per output channel.

    Qiao, Wang, Liu, Shen, Yuille, 2019, arXiv 1903.10520.
    """

    def call(self, inputs):
        kernel = ops.cast(self.kernel, "float32")
        mean, variance = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        kernel = (kernel - mean) * ops.rsqrt(variance + _VARIANCE_EPSILON)
        x = self.convolution_op(inputs, ops.cast(kernel, self.compute_dtype))
        if self.use_bias:
            x = x + self.bias
        return self.activation(x)
