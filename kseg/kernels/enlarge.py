"""Nearest upsampling by one kernel, and not at all before a convolution."""

from __future__ import annotations

from itertools import starmap
from typing import Any

from keras import layers, ops

_SOURCE = "_kseg_half_size"
_PARTS = "_kseg_parts"
_CHANNELS = 3
# Maps of more channels are small, and adding up a large kernel costs more than it saves.
_MOST_CHANNELS = 512
_NONE = (0, 0)
_ROWS = ((1, 0), _NONE, _NONE, _NONE), ((0, 1), _NONE, _NONE, _NONE)
_COLUMNS = (_NONE, (1, 0), _NONE, _NONE), (_NONE, (0, 1), _NONE, _NONE)


def can_enlarge(layer: layers.Layer) -> bool:
    """Tell whether `enlarge` can stand for the layer: nearest upsampling of maps."""
    nearest = type(layer) is layers.UpSampling2D and layer.interpolation == "nearest"
    return nearest and layer.data_format == "channels_last"


def enlarge(layer: layers.UpSampling2D, inputs: Any) -> Any:
    """Return the enlarged maps, which know what they were made of where they are twice as large."""
    import tensorflow as tf

    sizes = ops.shape(inputs)[1:3]
    size = [length * factor for length, factor in zip(sizes, layer.size, strict=True)]
    # Without half-pixel centres positions are rounded down: each value becomes a block.
    outputs = tf.raw_ops.ResizeNearestNeighbor(images=inputs, size=size)
    if tuple(layer.size) == (2, 2):
        setattr(outputs, _SOURCE, inputs)
    return outputs


def can_concatenate(layer: layers.Layer) -> bool:
    """Tell whether `concatenate` can stand for the layer: channels of maps, one after another."""
    return type(layer) is layers.Concatenate and layer.axis in (-1, _CHANNELS)


def concatenate(layer: layers.Concatenate, inputs: Any) -> Any:
    """Return what the layer does, which knows its parts where some were enlarged."""
    outputs = layers.Concatenate.call(layer, inputs)
    if any(hasattr(part, _SOURCE) for part in inputs):
        setattr(outputs, _PARTS, tuple(inputs))
    return outputs


def can_convolve(layer: layers.Layer) -> bool:
    """Tell whether `convolve` can stand for the layer: a usual convolution of 3x3."""
    return (
        type(layer) is layers.Conv2D
        and layer.kernel_size == (3, 3)
        and layer.strides == layer.dilation_rate == (1, 1)
        and (layer.groups, layer.padding, layer.data_format) == (1, "same", "channels_last")
    )


def convolve(layer: layers.Conv2D, inputs: Any) -> Any:
    """Return what the layer does, for maps that were enlarged from smaller ones.

    Of the nine pixels under a kernel several are copies of one value, whose weights can be added
    up first: a transposed convolution of the small maps by the summed kernel gives the same with
    four ninths of the multiplications. The parts of a concatenation are convolved one by one.
    TensorFlow then leaves out enlarging and concatenation, as nothing uses them.
    """
    parts = getattr(inputs, _PARTS, (inputs,))
    if not any(map(_is_merged, parts)):
        return layers.Conv2D.call(layer, inputs)
    import tensorflow as tf

    kernels = tf.split(layer.kernel, [part.shape[-1] for part in parts], axis=2)
    outputs = sum(starmap(_convolved, zip(parts, kernels, strict=True)))
    if layer.use_bias:
        outputs = tf.nn.bias_add(outputs, layer.bias)
    return layer.activation(outputs)


def _is_merged(maps: Any) -> bool:
    return hasattr(maps, _SOURCE) and maps.shape[-1] <= _MOST_CHANNELS


def _convolved(maps: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if not _is_merged(maps):
        return tf.nn.conv2d(maps, kernel, strides=1, padding="SAME")
    source = getattr(maps, _SOURCE)
    count, height, width = ops.shape(source)[:3]
    shape = (count, 2 * height, 2 * width, kernel.shape[-1])
    return tf.nn.conv2d_transpose(source, _spread(kernel), shape, strides=2, padding="SAME")


def _spread(kernel: Any) -> Any:
    """Return `(4, 4, out, in)`: what a small pixel gives to those in and around its block."""
    for before, behind in _ROWS, _COLUMNS:
        kernel = ops.pad(kernel, before) + ops.pad(kernel, behind)
    return ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2))
