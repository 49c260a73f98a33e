"""Atrous spatial pyramid pooling: the same features seen at several dilation rates at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn_relu
from kseg.layers.pooling import global_average_pool
from kseg.layers.resample import resize_like

EPSILON = 1e-5


def aspp(
    x: KerasTensor,
    filters: int,
    rates: Sequence[int],
    *,
    unit: Callable[..., KerasTensor],
    dropout: float = 0.1,
    name: str = "aspp",
) -> KerasTensor:
    """Join a 1x1 convolution, dilated 3x3 convolutions and the mean of the image.

    Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution, 2017, arXiv 1706.05587.

    Args:
        x: Features `(N, h, w, C)`.
        filters: Channels of each branch and of the result `(N, h, w, filters)`.
        rates: Dilation rates of the 3x3 branches.
        unit: Block `(x, filters, *, dilation_rate, name)` of those branches.
        dropout: Dropout of the result, 0..1.
        name: First part of the layers' names.
    """
    options = {"use_bias": False, "epsilon": EPSILON}
    mean = global_average_pool(x, name=f"{name}_mean")
    mean = conv_bn_relu(mean, filters, 1, name=f"{name}_mean", **options)
    branches = [resize_like(mean, x, name=f"{name}_mean_resize")]
    branches.append(conv_bn_relu(x, filters, 1, name=f"{name}_0", **options))
    for index, rate in enumerate(rates, start=1):
        branches.append(unit(x, filters, dilation_rate=rate, name=f"{name}_{index}"))
    x = layers.Concatenate(name=f"{name}_concat")(branches)
    x = conv_bn_relu(x, filters, 1, name=f"{name}_out", **options)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x)
