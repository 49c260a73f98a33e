"""Parts that the networks with a fine and a coarse branch share: DDRNet and PIDNet.

Deep Dual-resolution Networks: Hong, Pan, Sun, Jia, 2021, arXiv 2101.06085.
"""

from __future__ import annotations

from collections.abc import Iterator

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm, bn_relu_conv, conv_bn_relu, relu
from kseg.layers.head import head
from kseg.layers.pooling import average_pool, global_average_pool
from kseg.layers.resample import resize_like
from kseg.layers.residual import basic_block, bottleneck_block

_POOLS = ((5, 2), (9, 4), (17, 8))


def quarter_stem(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Divide height and width by 4 with two 3x3 convolutions."""
    for unit in "ab":
        x = conv_bn_relu(x, filters, strides=2, use_bias=False, name=f"{name}_{unit}")
    return x


def basic_chain(
    x: KerasTensor, filters: int, blocks: int, *, name: str, strides: int = 1
) -> KerasTensor:
    """Apply `blocks` basic blocks; the first has the stride, the last ends without a ReLU.

    So that branches exchange their values before the ReLU.
    """
    for index in range(blocks):
        x = basic_block(
            x,
            filters,
            strides=1 if index else strides,
            final_relu=index < blocks - 1,
            name=f"{name}_{index}",
        )
    return x


def double_bottleneck(x: KerasTensor, filters: int, *, name: str, strides: int = 1) -> KerasTensor:
    """Apply a bottleneck block with `2 * filters` output channels and no ReLU at its end."""
    return bottleneck_block(x, filters, expansion=2, strides=strides, final_relu=False, name=name)


def context_pyramid(
    x: KerasTensor, filters: int, channels: int, *, name: str, parallel: bool = False
) -> KerasTensor:
    """Join means over windows of growing size: `(N, H, W, C)` to `(N, H, W, channels)`.

    DDRNet's deep aggregation pyramid pooling (DAPPM) refines each scale with the one before. The
    parallel one of PIDNet (PAPPM, arXiv 2206.02066) refines each with the map itself, so that all
    can run at once.

    Args:
        x: Features `(N, H, W, C)` of any height and width.
        filters: Channels of each scale.
        channels: Channels of the result.
        name: First part of the layers' names.
        parallel: PIDNet's version.
    """
    scales = [bn_relu_conv(x, filters, 1, use_bias=False, name=f"{name}_scale0")]
    for index, pooled in enumerate(_pooled(x, name=name), start=1):
        y = bn_relu_conv(pooled, filters, 1, use_bias=False, name=f"{name}_scale{index}")
        # Also where the sizes agree: the order of the weights must not depend on the image size.
        y = resize_like(y, x, name=f"{name}_up{index}")
        y = layers.Add(name=f"{name}_add{index}")([y, scales[0 if parallel else -1]])
        scales.append(bn_relu_conv(y, filters, 3, use_bias=False, name=f"{name}_mix{index}"))
    y = layers.Concatenate(name=f"{name}_concat")(scales)
    y = bn_relu_conv(y, channels, 1, use_bias=False, name=f"{name}_compress")
    shortcut = bn_relu_conv(x, channels, 1, use_bias=False, name=f"{name}_shortcut")
    return layers.Add(name=f"{name}_add")([y, shortcut])


def _pooled(x: KerasTensor, *, name: str) -> Iterator[KerasTensor]:
    for index, (size, strides) in enumerate(_POOLS, start=1):
        yield average_pool(x, size, strides, name=f"{name}_pool{index}")
    yield global_average_pool(x, name=f"{name}_pool{len(_POOLS) + 1}")


def bn_head(
    x: KerasTensor, filters: int, num_classes: int, *, like: KerasTensor, factor: int, name: str
) -> KerasTensor:
    """Turn features that have not seen a ReLU into logits at the size of `like`.

    Args:
        x: Features `(N, h, w, C)`.
        filters: Channels of the 3x3 convolution before the scores.
        num_classes: Channels of the result.
        like: The images `(N, H, W, C)`; `h * factor >= H`.
        factor: Whole factor of the bilinear enlargement.
        name: First part of the layers' names.
    """
    x = bn_relu_conv(x, filters, use_bias=False, name=f"{name}_mix")
    x = relu(batch_norm(x, name=f"{name}_bn"), name=name)
    return head(x, num_classes, like=like, factor=factor, name=name)
