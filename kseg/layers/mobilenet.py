"""The body of MobileNet."""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm

_DEPTHS = (1, 2, 2, 6, 2)


def mobilenet(x: KerasTensor, filters: int, levels: int = 5) -> list[KerasTensor]:
    """Return the features of MobileNet at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size.

    Depthwise separable convolutions with ReLU6 (Howard et al., 2017, arXiv 1704.04861). The width
    doubles at each level; the paper has 64 filters at the first one, after a stem of 32.

    Args:
        x: Images `(N, H, W, C)`, height and width multiples of `2 ** levels`.
        filters: Width of the stem and of the first level.
        levels: Number of resolutions, 1..5.
    """
    x = layers.ZeroPadding2D(1, name="stem_pad")(x)
    stem = layers.Conv2D(filters, 3, strides=2, use_bias=False, name="stem_conv")
    x = _bn_relu6(stem(x), name="stem")
    features = []
    for level, depth in enumerate(_DEPTHS[:levels], start=1):
        for block in range(depth):
            strides = 2 if level > 1 and block == 0 else 1
            x = _separable(x, filters * 2 ** (level - 1), strides, name=f"enc{level}_{block}")
        features.append(x)
    return features


def _separable(x: KerasTensor, filters: int, strides: int, *, name: str) -> KerasTensor:
    """Apply a 3x3 depthwise and a 1x1 convolution, each with BN and ReLU6."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    depthwise = layers.DepthwiseConv2D(3, strides=strides, use_bias=False, name=f"{name}_dw")
    x = _bn_relu6(depthwise(x), name=f"{name}_dw")
    pointwise = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_conv")
    return _bn_relu6(pointwise(x), name=name)


def _bn_relu6(x: KerasTensor, *, name: str) -> KerasTensor:
    return layers.ReLU(6.0, name=f"{name}_relu")(batch_norm(x, name=f"{name}_bn"))
