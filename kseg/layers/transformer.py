"""Attention and its companions on feature maps.

Tokens stay maps `(N, H, W, C)`; only the attention itself flattens them. So 1x1 convolutions are
the linear layers, and sizes that are known only at run time need no bookkeeping.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import conv, depthwise
from kseg.layers.transformer_layers import Gelu, MapAttention

LAYER_NORM_EPSILON = 1e-6


def layer_norm(x: KerasTensor, *, name: str) -> KerasTensor:
    """Normalise over the channels of each place; the layer is called `name`."""
    return layers.LayerNormalization(epsilon=LAYER_NORM_EPSILON, name=name)(x)


def gelu(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply the exact GELU, called `{name}_gelu`."""
    return Gelu(name=f"{name}_gelu")(x)


def add_branch(
    x: KerasTensor, branch: KerasTensor, *, name: str, drop_path: float = 0.0
) -> KerasTensor:
    """Add a residual branch, which whole images skip with probability `drop_path` in training.

    Stochastic depth: Huang, Sun, Liu, Sedra, Weinberger, 2016, arXiv 1603.09382.
    """
    if drop_path:
        drop = layers.Dropout(drop_path, noise_shape=(None, 1, 1, 1), name=f"{name}_droppath")
        branch = drop(branch)
    return layers.Add(name=f"{name}_add")([x, branch])


def drop_path_rates(rate: float, blocks: int) -> list[float]:
    """Return one rate per block, from 0 for the first to `rate` for the last."""
    return [rate * index / max(1, blocks - 1) for index in range(blocks)]


def embed_patches(
    x: KerasTensor, filters: int, kernel_size: int, *, strides: int, name: str, **options
) -> KerasTensor:
    """Apply a strided convolution over overlapping patches that are centred.

    "same" would pad an even size more at the bottom and right.

    Args:
        x: Images or features `(N, H, W, C)`; H and W are multiples of `strides`.
        filters: Channels of the result `(N, H / strides, W / strides, filters)`.
        kernel_size: Odd height and width of a patch.
        strides: Distance of two patches.
        name: First part of the layers' names.
        **options: Options of `Conv2D`.
    """
    x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    layer = layers.Conv2D(filters, kernel_size, strides=strides, name=f"{name}_conv", **options)
    return layer(x)


def self_attention(x: KerasTensor, heads: int, *, reduction: int = 1, name: str) -> KerasTensor:
    """Apply multi-head self-attention; with a reduction, to keys and values of a coarser map.

    Vaswani et al., 2017, arXiv 1706.03762; the reduction is that of PVT (Wang et al., 2021,
    arXiv 2102.12122).

    Args:
        x: Features `(N, H, W, C)`; H and W are multiples of `reduction`.
        heads: Number of heads, a divisor of C.
        reduction: Keys and values are at `1 / reduction` of height and width.
        name: First part of the layers' names.
    """
    filters, context = x.shape[-1], x
    if reduction > 1:
        context = conv(x, filters, reduction, strides=reduction, name=f"{name}_reduce")
        context = layer_norm(context, name=f"{name}_reduce_norm")
    query = conv(x, filters, 1, name=f"{name}_query")
    key = conv(context, filters, 1, name=f"{name}_key")
    value = conv(context, filters, 1, name=f"{name}_value")
    x = MapAttention(heads, name=f"{name}_map")([query, key, value])
    return conv(x, filters, 1, name=f"{name}_out")


def mlp(
    x: KerasTensor, ratio: float, *, kernel_size: int = 1, dropout: float = 0.0, name: str
) -> KerasTensor:
    """Apply two linear layers with a GELU between them.

    Args:
        x: Features `(N, H, W, C)`.
        ratio: The first layer has `ratio * C` channels.
        kernel_size: Above 1 a depthwise convolution of this size comes before the GELU, which
            tells each place about its neighbours (Mix-FFN).
        dropout: Rate after either layer.
        name: First part of the layers' names.
    """
    filters = x.shape[-1]
    x = conv(x, int(filters * ratio), 1, name=f"{name}_in")
    if kernel_size > 1:
        x = depthwise(x, kernel_size, name=name)
    x = _dropout(gelu(x, name=name), dropout, name=f"{name}_in")
    return _dropout(conv(x, filters, 1, name=f"{name}_out"), dropout, name=f"{name}_out")


def _dropout(x: KerasTensor, rate: float, *, name: str) -> KerasTensor:
    return layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x
