"""Residual blocks of ResNet and of the networks built from them.

Deep Residual Learning for Image Recognition: He, Zhang, Ren, Sun, 2015, arXiv 1512.03385.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm, conv, relu


def basic_block(
    x: KerasTensor,
    filters: int,
    *,
    name: str,
    strides: int = 1,
    dilation_rate: int = 1,
    final_relu: bool = True,
    **unit: object,
) -> KerasTensor:
    """Add two 3x3 convolutions to their input.

    The shortcut gets a 1x1 convolution where stride or channels change.

    Args:
        x: Features `(N, H, W, C)`.
        filters: Channels of the result.
        name: First part of the layers' names: `{name}_a_conv`, `{name}_b_bn`, `{name}_add`,
            `{name}_proj_conv`, `{name}_out_relu`, ...
        strides: Stride of the first convolution; must be 1 with a dilation.
        dilation_rate: Dilation of both convolutions.
        final_relu: Whether a ReLU follows the addition.
        **unit: `use_bias=False`, `epsilon=1e-3` of the normalisation, `relu_first=False`
            (conv-ReLU-BN instead of conv-BN-ReLU), and options of `Conv2D`.
    """
    y = _unit(x, filters, 3, strides=strides, dilation_rate=dilation_rate, name=f"{name}_a", **unit)
    y = _unit(y, filters, 3, linear=True, dilation_rate=dilation_rate, name=f"{name}_b", **unit)
    return _merge(x, y, strides, final_relu, name=name, **unit)


def bottleneck_block(
    x: KerasTensor,
    filters: int,
    *,
    name: str,
    expansion: int = 4,
    strides: int = 1,
    dilation_rate: int = 1,
    stride_first: bool = False,
    final_relu: bool = True,
    **unit: object,
) -> KerasTensor:
    """Add a 1x1, a 3x3 and a 1x1 convolution to their input.

    The shortcut gets a 1x1 convolution where stride or channels change.

    Args:
        x: Features `(N, H, W, C)`.
        filters: Channels of the first two convolutions.
        name: First part of the layers' names: `{name}_a_conv`, `{name}_b_conv`, `{name}_c_bn`,
            `{name}_add`, `{name}_proj_conv`, `{name}_out_relu`, ...
        expansion: Channels of the result are `filters * expansion`.
        strides: Stride of the 3x3 convolution; must be 1 with a dilation.
        dilation_rate: Dilation of the 3x3 convolution.
        stride_first: Put the stride on the first 1x1 convolution, as the 2015 paper does.
        final_relu: Whether a ReLU follows the addition.
        **unit: `use_bias=False`, `epsilon=1e-3` of the normalisation, `relu_first=False`
            (conv-ReLU-BN instead of conv-BN-ReLU), and options of `Conv2D`.
    """
    first, second = (strides, 1) if stride_first else (1, strides)
    y = _unit(x, filters, 1, strides=first, name=f"{name}_a", **unit)
    y = _unit(y, filters, 3, strides=second, dilation_rate=dilation_rate, name=f"{name}_b", **unit)
    y = _unit(y, filters * expansion, 1, linear=True, name=f"{name}_c", **unit)
    return _merge(x, y, strides, final_relu, name=name, **unit)


def residual_stage(
    block: Callable[..., KerasTensor],
    x: KerasTensor,
    filters: int,
    blocks: int,
    *,
    name: str,
    strides: int = 1,
    **options: object,
) -> KerasTensor:
    """Apply `blocks` blocks called `{name}_0`, `{name}_1`, ...; the first one has the stride."""
    for index in range(blocks):
        x = block(x, filters, strides=1 if index else strides, name=f"{name}_{index}", **options)
    return x


def _merge(
    x: KerasTensor, y: KerasTensor, strides: int, final_relu: bool, *, name: str, **unit: object
) -> KerasTensor:
    filters = y.shape[-1]
    if strides != 1 or x.shape[-1] != filters:
        x = _unit(x, filters, 1, linear=True, strides=strides, name=f"{name}_proj", **unit)
    y = layers.Add(name=f"{name}_add")([x, y])
    return relu(y, name=f"{name}_out") if final_relu else y


def _unit(
    x: KerasTensor,
    filters: int,
    kernel_size: int,
    *,
    name: str,
    linear: bool = False,
    relu_first: bool = False,
    epsilon: float = 1e-3,
    use_bias: bool = False,
    **options: object,
) -> KerasTensor:
    """Apply convolution, normalisation and, unless `linear`, a ReLU before or after the latter."""
    x = conv(x, filters, kernel_size, use_bias=use_bias, name=name, **options)
    if relu_first and not linear:
        x = relu(x, name=name)
    x = batch_norm(x, epsilon=epsilon, name=f"{name}_bn")
    return x if linear or relu_first else relu(x, name=name)
