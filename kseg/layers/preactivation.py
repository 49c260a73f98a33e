"""Residual units that normalise before they convolve.

Identity Mappings in Deep Residual Networks: He, Zhang, Ren, Sun, 2016, arXiv 1603.05027.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import bn_relu_conv, conv, conv_bn


def preactivation_unit(
    x: KerasTensor, filters: int, *, strides: int = 1, stem: bool = False, name: str
) -> KerasTensor:
    """Add two 3x3 BN-ReLU-convolutions to a 1x1 convolution of their input.

    The unit of Deep Residual U-Net and ResUNet++. No convolution has a bias, since the
    normalisation of the shortcut adds one.

    Args:
        x: Features `(N, H, W, C)`.
        filters: Channels of the result.
        strides: Stride of the first convolution and of the shortcut.
        stem: Leave out the first BN-ReLU, because `x` is the image.
        name: First part of the layers' names: `{name}_a_bn`, `{name}_b_conv`, `{name}_proj_conv`,
            `{name}_add`, ...
    """
    first = conv if stem else bn_relu_conv
    y = first(x, filters, strides=strides, use_bias=False, name=f"{name}_a")
    y = bn_relu_conv(y, filters, use_bias=False, name=f"{name}_b")
    x = conv_bn(x, filters, 1, strides=strides, use_bias=False, name=f"{name}_proj")
    return layers.Add(name=f"{name}_add")([x, y])


def preactivation_encoder(
    x: KerasTensor, widths: list[int], *, block=preactivation_unit
) -> list[KerasTensor]:
    """Apply one unit per resolution, each but the first with stride 2; return all, finest first.

    Args:
        x: Images `(N, H, W, C)`; H and W are multiples of `2 ** (len(widths) - 1)`.
        widths: Channels of each resolution, finest first.
        block: Called as `block(x, filters, strides=2, stem=False, name="enc1")`.
    """
    features = []
    for level, filters in enumerate(widths):
        strides, stem = (2, False) if level else (1, True)
        x = block(x, filters, strides=strides, stem=stem, name=f"enc{level}")
        features.append(x)
    return features
