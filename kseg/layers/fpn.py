"""Feature pyramid networks: coarse features flow down into finer ones.

Feature Pyramid Networks for Object Detection: Lin, Dollár, Girshick, He, Hariharan, Belongie,
2016, arXiv 1612.03144.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import KerasTensor, layers

from kseg.layers.resample import upsample

STRIDES = (4, 8, 16, 32)
"""Strides of the features that such a network takes from an encoder."""


def top_down(
    features: Sequence[KerasTensor], *, name: str, interpolation: str = "nearest"
) -> list[KerasTensor]:
    """Add to each map the enlarged sum of all coarser ones.

    Args:
        features: Maps with the same channels, finest first, each half as large as the one before.
        name: First part of the layers' names: `{name}_up0`, `{name}_add0`, ...
        interpolation: "nearest" or "bilinear".
    """
    sums = [features[-1]]
    for level in reversed(range(len(features) - 1)):
        up = upsample(sums[0], 2, interpolation=interpolation, name=f"{name}_up{level}")
        sums.insert(0, layers.Add(name=f"{name}_add{level}")([features[level], up]))
    return sums
