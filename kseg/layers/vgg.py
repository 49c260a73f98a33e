"""Stacks of 3x3 convolutions, and the body of VGG16 that is made of them.

Simonyan, Zisserman, 2014, arXiv 1409.1556.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from string import ascii_lowercase

from keras import KerasTensor, layers

from kseg.layers.conv import conv_relu

VGG16_WIDTHS = (1, 2, 4, 8, 8)
VGG16_DEPTHS = (2, 2, 3, 3, 3)


def conv_stack(
    x: KerasTensor, widths: Iterable[int], *, name: str, unit: Callable = conv_relu
) -> KerasTensor:
    """Apply one 3x3 `unit` per width, called `{name}_a`, `{name}_b` and so on."""
    for letter, width in zip(ascii_lowercase, widths, strict=False):
        x = unit(x, width, name=f"{name}_{letter}")
    return x


def vgg16(
    x: KerasTensor, filters: int = 64, *, unit: Callable = conv_relu
) -> tuple[list[KerasTensor], list[KerasTensor]]:
    """Apply the 13 convolutions of VGG16 in five levels called `enc0` to `enc4`.

    Args:
        x: Images `(N, H, W, C)`, height and width multiples of 32 (16 without the last pool).
        filters: Width of the first level, 64 in the paper.
        unit: Block made of one convolution.

    Returns:
        The features of the levels before their 2x2 pools, at 1/1 to 1/16 of the size, and after
        them, at 1/2 to 1/32.
    """
    features, pooled = [], []
    for level, (width, depth) in enumerate(zip(VGG16_WIDTHS, VGG16_DEPTHS, strict=True)):
        x = conv_stack(x, [filters * width] * depth, unit=unit, name=f"enc{level}")
        features.append(x)
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
        pooled.append(x)
    return features, pooled
