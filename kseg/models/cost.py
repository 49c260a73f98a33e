"""What one image costs a model, counted from its layers."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, tree

from kseg.models.graph import follow


def count_macs(model: keras.Model, size: tuple[int, int] | None = None) -> int:
    """Return the multiply-adds of all convolutions and matrix products for one image.

    Additions of bias, normalisation, activation and resizing are not counted, as in the papers.
    A layer that is applied several times counts as often.

    Args:
        model: Functional model.
        size: Height and width of the image; None for the model's own.

    Raises:
        ValueError: Neither the model nor `size` gives a height and width.
    """
    height, width = size or model.input_shape[1:3]
    if None in (height, width):
        raise ValueError(f"{model.name}: give a size (height, width) to count its multiply-adds")
    costs = []
    follow(model, (height, width), lambda *layer: costs.append(_layer_macs(*layer)))
    return sum(costs)


def _layer_macs(layer: Any, inputs: Any, output: Any) -> int:
    if hasattr(layer, "macs"):
        return layer.macs(*(x.shape for x in tree.flatten(inputs)))
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape) * math.prod(output.shape[1:-1])
    if isinstance(layer, layers.Conv2DTranspose):
        return math.prod(layer.kernel.shape) * math.prod(inputs.shape[1:3])
    if isinstance(layer, layers.SeparableConv2D):
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
        return sum(math.prod(k.shape) for k in kernels) * math.prod(output.shape[1:3])
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        return math.prod(layer.kernel.shape) * math.prod(output.shape[1:3])
    return 0
