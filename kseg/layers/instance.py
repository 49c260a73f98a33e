"""Instance normalisation and the blocks that nnU-Net builds from it.

nnU-Net: Isensee et al., 2018, arXiv 1809.10486; instance normalisation: Ulyanov, Vedaldi,
Lempitsky, 2016, arXiv 1607.08022.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers, ops

from kseg.layers.conv import conv


@keras.saving.register_keras_serializable("kseg")
class InstanceNormalization(layers.Layer):
    """Normalise each channel of each image `(N, H, W, C)` over its own pixels.

    It knows no moving statistics, so that training and inference agree at any batch size. Keras'
    `GroupNormalization` takes the variance on PyTorch as the mean of squares minus the square of
    the mean, which rounding makes negative for bright, flat images; this one subtracts the mean
    first. Computed in float32 under mixed precision. A map of one pixel becomes `beta`.

    Args:
        epsilon: Added to the variance.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, "ones", name="gamma", autocast=False)
        self.beta = self.add_weight(shape, "zeros", name="beta", autocast=False)

    def call(self, inputs):
        x, gamma, beta = (ops.cast(one, "float32") for one in (inputs, self.gamma, self.beta))
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        x = x * (ops.rsqrt(variance + self.epsilon) * gamma) + beta
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


def leaky_relu(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply nnU-Net's leaky ReLU, with a slope of 0.01 below zero."""
    return layers.LeakyReLU(0.01, name=f"{name}_relu")(x)


def conv_in(
    x: KerasTensor, filters: int, kernel_size: int = 3, *, name: str, **options
) -> KerasTensor:
    """Apply a He-normal convolution and instance normalisation; `options` are of `Conv2D`."""
    x = conv(x, filters, kernel_size, kernel_initializer="he_normal", name=name, **options)
    return InstanceNormalization(name=f"{name}_in")(x)


def conv_in_relu(
    x: KerasTensor, filters: int, kernel_size: int = 3, *, name: str, **options
) -> KerasTensor:
    """Apply convolution, instance normalisation and leaky ReLU, nnU-Net's unit."""
    return leaky_relu(conv_in(x, filters, kernel_size, name=name, **options), name=name)


def conv_in_stack(
    x: KerasTensor, filters: int, *, count: int = 2, strides: int = 1, name: str
) -> KerasTensor:
    """Apply `count` units called `{name}_0`, `{name}_1`, ...; the first one has the stride."""
    for index in range(count):
        x = conv_in_relu(x, filters, strides=1 if index else strides, name=f"{name}_{index}")
    return x


def residual_in_block(x: KerasTensor, filters: int, *, strides: int = 1, name: str) -> KerasTensor:
    """Add two units to their input; where it gets smaller, it is averaged, not sampled.

    The block of the residual encoder of nnU-Net, after ResNet-D (He et al., 2018,
    arXiv 1812.01187): 2x2 average pooling and a 1x1 convolution in the shortcut, each only where
    size or channels change.
    """
    y = conv_in_relu(x, filters, strides=strides, name=f"{name}_a")
    y = conv_in(y, filters, name=f"{name}_b")
    if strides > 1:
        x = layers.AveragePooling2D(strides, name=f"{name}_pool")(x)
    if x.shape[-1] != filters:
        x = conv_in(x, filters, 1, use_bias=False, name=f"{name}_proj")
    return leaky_relu(layers.Add(name=f"{name}_add")([x, y]), name=f"{name}_out")


def residual_in_stack(
    x: KerasTensor, filters: int, *, count: int, strides: int = 1, name: str
) -> KerasTensor:
    """Apply `count` residual blocks; the first one has the stride."""
    for index in range(count):
        x = residual_in_block(x, filters, strides=1 if index else strides, name=f"{name}_{index}")
    return x
