"""Convolution, batch normalisation and activation in their usual order."""

from __future__ import annotations

from keras import KerasTensor, layers

BATCH_NORM_MOMENTUM = 0.9
"""Share of the old moving statistics kept at each step.

Keras' default of 0.99 still holds a third of the initial values after 100 steps, so after a short
run a model can be right in training mode and useless in inference mode.
"""


def batch_norm(x: KerasTensor, *, name: str) -> KerasTensor:
    """Normalise over the batch with kseg's momentum."""
    return layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=name)(x)


def conv_bn_relu(
    x: KerasTensor, filters: int, kernel_size: int | tuple[int, int] = 3, *, name: str
) -> KerasTensor:
    """Apply convolution ("same", with bias), batch normalisation and ReLU."""
    x = layers.Conv2D(filters, kernel_size, padding="same", name=f"{name}_conv")(x)
    x = batch_norm(x, name=f"{name}_bn")
    return layers.ReLU(name=f"{name}_relu")(x)


def double_conv(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Apply two 3x3 conv-BN-ReLU units, the basic block of the U-Net family."""
    x = conv_bn_relu(x, filters, name=f"{name}_a")
    return conv_bn_relu(x, filters, name=f"{name}_b")
