"""Nearest upsampling by one kernel, and concatenation, whose results know their origin."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

SOURCE = "_kseg_half_size"
"""Attribute of maps that were enlarged twice: the maps of half their size."""
PARTS = "_kseg_parts"
"""Attribute of concatenated maps of which some were enlarged: all of them."""
_CHANNELS = 3
# TensorFlow multiplies positions by 1 / factor in 32 bits, which for 41, 47 and other factors
# gives a little less than a whole number: the value of the block before.
_MOST_TIMES = 40


def can_enlarge(layer: layers.Layer) -> bool:
    """Tell whether `enlarge` can stand for the layer: nearest upsampling of maps."""
    nearest = type(layer) is layers.UpSampling2D and layer.interpolation == "nearest"
    return nearest and layer.data_format == "channels_last" and max(layer.size) <= _MOST_TIMES


def enlarge(layer: layers.UpSampling2D, inputs: Any) -> Any:
    """Return the enlarged maps, which know what they were made of where they are twice as large.

    Maps of integers or truth values, which no convolution takes, are left to Keras.
    """
    import tensorflow as tf

    if not inputs.dtype.is_floating:
        return layers.UpSampling2D.call(layer, inputs)
    sizes = ops.shape(inputs)[1:3]
    size = [length * factor for length, factor in zip(sizes, layer.size, strict=True)]
    # Without half-pixel centres positions are rounded down: each value becomes a block.
    outputs = tf.raw_ops.ResizeNearestNeighbor(images=inputs, size=size)
    if tuple(layer.size) == (2, 2):
        setattr(outputs, SOURCE, inputs)
    return outputs


def can_concatenate(layer: layers.Layer) -> bool:
    """Tell whether `concatenate` can stand for the layer: channels of maps, one after another."""
    return type(layer) is layers.Concatenate and layer.axis in (-1, _CHANNELS)


def concatenate(layer: layers.Concatenate, inputs: Any) -> Any:
    """Return what the layer does, which knows its parts where some were enlarged."""
    outputs = layers.Concatenate.call(layer, inputs)
    # Parts of another type are cast by Keras.
    alike = all(part.dtype == outputs.dtype for part in inputs)
    if alike and any(hasattr(part, SOURCE) for part in inputs):
        setattr(outputs, PARTS, tuple(inputs))
    return outputs
