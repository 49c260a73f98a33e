"""Convolutions with a group for each channel, as the depthwise convolutions that they are."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import layers, ops

from kseg.kernels.plain import finished


def use_channelwise(model: keras.Model) -> None:
    """Let the layers that `is_channelwise` tells of do without XLA in all that uses the model.

    Nothing is done on other backends; files are as before, with Keras' own layers.

    Args:
        model: Its layers are changed in place.
    """
    if keras.backend.backend() != "tensorflow":
        return
    for layer in model._flatten_layers():
        if is_channelwise(layer):
            layer.call = partial(channelwise, layer)


def is_channelwise(layer: layers.Layer) -> bool:
    """Tell whether a layer is a convolution with a group for each channel, as ConvNeXt has them."""
    return (
        type(layer) is layers.Conv2D
        and layer.built
        and layer.data_format == "channels_last"
        and layer.groups > 1
        and layer.kernel.shape[-2] == 1
        # What a depthwise convolution of TensorFlow can do.
        and layer.strides[0] == layer.strides[1]
        and 1 in (layer.strides[0], max(layer.dilation_rate))
    )


def channelwise(layer: layers.Conv2D, inputs: Any) -> Any:
    """Return what the layer does, without XLA.

    TensorFlow has no convolutions with groups on a CPU. Keras has them compiled by XLA, which
    takes far longer for these than a depthwise convolution.

    Args:
        layer: The layer.
        inputs: Maps `(N, H, W, C)`.
    """
    height, width, _, filters = layer.kernel.shape
    # Filters are ordered by the channel that they see, as the two last axes here are.
    kernel = ops.reshape(layer.kernel, (height, width, layer.groups, filters // layer.groups))
    outputs = ops.depthwise_conv(
        inputs, kernel, layer.strides, layer.padding, "channels_last", layer.dilation_rate
    )
    return finished(layer, outputs)
