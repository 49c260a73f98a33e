"""Pyramid pooling: what the surroundings of a pixel look like at several scales.

Pyramid Scene Parsing Network: Zhao, Shi, Qi, Wang, Jia, 2016, arXiv 1612.01105.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn_relu
from kseg.layers.pooling import AdaptiveAveragePool
from kseg.layers.resample import resize_like

BINS = (1, 2, 3, 6)
"""Rows and columns of the pooled maps in the paper."""


def pyramid_branches(
    x: KerasTensor,
    filters: int | None = None,
    *,
    name: str,
    bins: Sequence[int] = BINS,
    unit: Callable[..., KerasTensor] = conv_bn_relu,
    **options: object,
) -> list[KerasTensor]:
    """Average `x` in several grids and enlarge each bilinearly to the size of `x` again.

    Args:
        x: Features `(N, H, W, C)` of any height and width.
        filters: Channels that a 1x1 `unit` gives each pooled map; None leaves the unit out.
        name: First part of the layers' names: `{name}_pool6`, `{name}_bin6_conv`, `{name}_up6`.
        bins: Rows and columns of each grid; there may be more than `x` has.
        unit: A block of `kseg.layers.conv`.
        **options: Options of `unit`.
    """
    branches = []
    for size in bins:
        y = AdaptiveAveragePool(size, name=f"{name}_pool{size}")(x)
        if filters is not None:
            y = unit(y, filters, 1, name=f"{name}_bin{size}", **options)
        branches.append(resize_like(y, x, name=f"{name}_up{size}"))
    return branches


def pyramid_pooling(
    x: KerasTensor, filters: int, *, name: str, bins: Sequence[int] = BINS, **options: object
) -> KerasTensor:
    """Concatenate `x` and its `pyramid_branches`: `(N, H, W, C + len(bins) * filters)`."""
    branches = pyramid_branches(x, filters, name=name, bins=bins, **options)
    return layers.Concatenate(name=f"{name}_concat")([x, *branches])
