"""Dropout of whole channels, as a product with a factor for each."""

from __future__ import annotations

from typing import Any

from keras import layers, ops, random


def can_drop(layer: layers.Layer) -> bool:
    """Tell whether `drop` can stand for the layer."""
    return type(layer) is layers.SpatialDropout2D and layer.data_format == "channels_last"


def drop(layer: layers.SpatialDropout2D, inputs: Any, training: Any = False) -> Any:
    """Return what the layer does, with the same random numbers.

    TensorFlow multiplies and then chooses between each value and zero, forward and backward.
    """
    if training is not True or not 0 < layer.rate < 1:
        return layers.SpatialDropout2D.call(layer, inputs, training=training)
    images, *_, channels = ops.shape(inputs)
    ones = ops.ones((images, 1, 1, channels), inputs.dtype)
    return inputs * random.dropout(ones, layer.rate, seed=layer.seed_generator)
