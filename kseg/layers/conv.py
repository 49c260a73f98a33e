"""Convolution, batch normalisation and activation in their usual orders."""

from __future__ import annotations

from keras import KerasTensor, layers

BATCH_NORM_MOMENTUM = 0.9
"""Share of the old moving statistics kept at each step.

Keras' default of 0.99 still holds a third of the initial values after 100 steps, so after a short
run a model can be right in training mode and useless in inference mode.
"""

# oneDNN in TensorFlow 2.21 writes past its buffers in the gradient of strided 1x1 convolutions of
# fewer channels than this; taking the pixels first is the same and safe.
_SAFE_CHANNELS = 16

Size = int | tuple[int, int]


def batch_norm(x: KerasTensor, *, name: str, epsilon: float = 1e-3) -> KerasTensor:
    """Normalise over the batch with kseg's momentum; the layer is called `name`."""
    norm = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, epsilon=epsilon, name=name)
    return norm(x)


def relu(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply a ReLU called `{name}_relu`."""
    return layers.ReLU(name=f"{name}_relu")(x)


def conv(
    x: KerasTensor, filters: int, kernel_size: Size = 3, *, name: str, **options
) -> KerasTensor:
    """Apply a "same" convolution called `{name}_conv`; `options` are those of `Conv2D`."""
    if kernel_size == 1 and options.get("strides", 1) > 1 and x.shape[-1] < _SAFE_CHANNELS:
        strides = options.pop("strides")
        x = layers.AveragePooling2D(1, strides=strides, name=f"{name}_subsample")(x)
    layer = layers.Conv2D(filters, kernel_size, padding="same", name=f"{name}_conv", **options)
    return layer(x)


def conv_bn(
    x: KerasTensor,
    filters: int,
    kernel_size: Size = 3,
    *,
    name: str,
    epsilon: float = 1e-3,
    **options,
) -> KerasTensor:
    """Apply convolution ("same", with bias unless `use_bias=False`) and batch normalisation."""
    x = conv(x, filters, kernel_size, name=name, **options)
    return batch_norm(x, epsilon=epsilon, name=f"{name}_bn")


def conv_bn_relu(
    x: KerasTensor, filters: int, kernel_size: Size = 3, *, name: str, **options
) -> KerasTensor:
    """Apply convolution, batch normalisation and ReLU; `options` are those of `conv_bn`."""
    return relu(conv_bn(x, filters, kernel_size, name=name, **options), name=name)


def conv_relu_bn(
    x: KerasTensor, filters: int, kernel_size: Size = 3, *, name: str, **options
) -> KerasTensor:
    """Apply convolution, ReLU and batch normalisation, the order of several older networks."""
    x = relu(conv(x, filters, kernel_size, name=name, **options), name=name)
    return batch_norm(x, name=f"{name}_bn")


def conv_relu(
    x: KerasTensor, filters: int, kernel_size: Size = 3, *, name: str, **options
) -> KerasTensor:
    """Apply convolution and ReLU, for networks without normalisation.

    The kernels start He-normal (He et al., 2015, arXiv 1502.01852), since nothing else keeps the
    size of the activations there.
    """
    options = {"kernel_initializer": "he_normal", **options}
    return relu(conv(x, filters, kernel_size, name=name, **options), name=name)


def bn_relu_conv(
    x: KerasTensor, filters: int, kernel_size: Size = 3, *, name: str, **options
) -> KerasTensor:
    """Apply batch normalisation, ReLU and convolution, the order of pre-activation networks."""
    x = relu(batch_norm(x, name=f"{name}_bn"), name=name)
    return conv(x, filters, kernel_size, name=name, **options)


def depthwise(x: KerasTensor, kernel_size: Size = 3, *, name: str, **options) -> KerasTensor:
    """Apply a "same" depthwise convolution called `{name}_dw`."""
    layer = layers.DepthwiseConv2D(kernel_size, padding="same", name=f"{name}_dw", **options)
    return layer(x)


def separable_conv_bn_relu(
    x: KerasTensor,
    filters: int,
    *,
    name: str,
    strides: int = 1,
    dilation_rate: int = 1,
    epsilon: float = 1e-3,
) -> KerasTensor:
    """Apply 3x3 depthwise, BN, ReLU, then 1x1, BN, ReLU, all without bias.

    MobileNet's and DeepLabV3+'s unit (Howard et al., 2017, arXiv 1704.04861).
    """
    x = depthwise(x, name=name, strides=strides, dilation_rate=dilation_rate, use_bias=False)
    x = relu(batch_norm(x, epsilon=epsilon, name=f"{name}_dw_bn"), name=f"{name}_dw")
    return conv_bn_relu(x, filters, 1, use_bias=False, epsilon=epsilon, name=name)


def double_conv(x: KerasTensor, filters: int, *, name: str, unit=conv_bn_relu, **options):
    """Apply two 3x3 units, conv-BN-ReLU by default: the basic block of the U-Net family."""
    x = unit(x, filters, name=f"{name}_a", **options)
    return unit(x, filters, name=f"{name}_b", **options)
