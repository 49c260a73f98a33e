"""What one image costs a model, counted from its layers."""

from __future__ import annotations

import math

import keras
from keras import layers

_TRANSPOSED = (layers.Conv2DTranspose,)
_DEPTHWISE = (layers.DepthwiseConv2D,)


def count_macs(model: keras.Model) -> int:
    """Return the multiply-adds of all convolutions and dense layers for one image.

    Additions of bias, normalisation, activation and resizing are not counted, as in the papers.

    Args:
        model: Functional model built for a fixed height and width.

    Raises:
        ValueError: The model was built for an open size.
    """
    if None in model.input_shape[1:]:
        raise ValueError(f"{model.name}: build the model with a fixed input_shape to count MACs")
    return sum(_layer_macs(layer) for layer in model._flatten_layers(include_self=False))


def _layer_macs(layer: layers.Layer) -> int:
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
    if isinstance(layer, _TRANSPOSED):
        return math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
    if isinstance(layer, (layers.Conv2D, *_DEPTHWISE)):
        return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return 0
