"""Change a classification backbone so that its features have whole strides.

The layers are changed in place before the graph is built anew from them, so that names, weights
and their order stay those of the file that pretrained weights come in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

_SPATIAL = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)


def rewrite(stock: keras.Model, output_stride: int, momentum: float) -> None:
    """Turn "valid" windows into "same", and strides beyond `output_stride` into dilation.

    Args:
        stock: Backbone built for a fixed size that is large against its stride.
        output_stride: Coarsest stride that is left: 8, 16 or 32. A window that worked at a stride
            `s` times as coarse is dilated by `s` (Chen et al., 2017, arXiv 1706.05587), but along
            an axis where it has length 1.
        momentum: Momentum of all batch normalisations.
    """
    for layer, before in _layers(stock):
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum
        if isinstance(layer, _SPATIAL):
            _rewrite_window(layer, nominal_stride(stock, layer.input), before, output_stride)


def nominal_stride(stock: keras.Model, tensor: keras.KerasTensor) -> int:
    """Return the power of two that the size of `tensor` is a fraction of the input's."""
    return 2 ** round(math.log2(stock.input_shape[1] / tensor.shape[1]))


def _layers(model: keras.Model) -> Iterator[tuple[Any, Any]]:
    """Yield every layer of a graph, nested ones too, with the one before it."""
    for operation in model.operations:
        if isinstance(operation, keras.Sequential):
            yield from ((layer, None) for layer in operation.layers)
        elif isinstance(operation, layers.Layer):
            yield operation, producer(operation)


def producer(operation: Any) -> Any:
    """Return what made the only input of an operation, None where it has several or none."""
    parents = operation._inbound_nodes[0].parent_nodes
    return parents[0].operation if len(parents) == 1 else None


def _rewrite_window(layer: Any, stride: int, before: Any, output_stride: int) -> None:
    padded = isinstance(before, layers.ZeroPadding2D)
    too_coarse = _strides(layer) > 1 and stride * _strides(layer) > output_stride
    dilation = max(1, stride // output_stride)
    if too_coarse:
        layer.strides = (1, 1)
    if dilation > 1 and hasattr(layer, "dilation_rate"):
        # Nothing to spread along a length of 1, but TensorFlow would rearrange the whole map.
        layer.dilation_rate = tuple(dilation if n > 1 else 1 for n in layer.kernel_size)
    if padded and (too_coarse or dilation > 1):
        before.padding = ((0, 0), (0, 0))
    if not padded or too_coarse or dilation > 1:
        layer.padding = "same"


def _strides(layer: Any) -> int:
    return layer.strides[0] if isinstance(layer.strides, tuple) else layer.strides
