"""Dilated convolutions of maps that their kernel spans."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from keras import layers, ops


def can_dilate(layer: layers.Layer) -> bool:
    """Tell whether `dilate` can stand for the layer: a dilated convolution with a middle."""
    return (
        type(layer) is layers.Conv2D
        and max(layer.dilation_rate) > 1
        and layer.strides == (1, 1)
        and all(length % 2 for length in layer.kernel_size)
        and (layer.groups, layer.padding, layer.data_format) == (1, "same", "channels_last")
    )


def dilate(layer: layers.Conv2D, inputs: Any) -> Any:
    """Return what the layer does, without the padding that a wide kernel mostly sees.

    Each weight of the kernel meets only a part of the maps, the smaller the further it is from
    the middle; with a rate of 24 on maps of 12x12 the middle alone meets any. TensorFlow computes
    all the rest too, by ways that are not made for it. Where the kernel is narrow beside the maps,
    or their size is unknown before they come, this is Keras' own call.

    Args:
        layer: The layer.
        inputs: Maps `(N, H, W, C)`.
    """
    size = inputs.shape[1:3]
    if None in size or not _is_wide(layer, size):
        return layers.Conv2D.call(layer, inputs)
    import tensorflow as tf

    axes = zip(size, layer.kernel_size, layer.dilation_rate, strict=True)
    taps = product(*(list(_taps(*axis)) for axis in axes))
    # Added up in 32 bits, whatever is multiplied.
    outputs = 0.0
    for (row, rows, above), (column, columns, left) in taps:
        kernel = layer.kernel[row : row + 1, column : column + 1]
        part = tf.nn.conv2d(inputs[:, rows, columns], kernel, strides=1, padding="VALID")
        outputs += ops.pad(ops.cast(part, "float32"), (_NONE, above, left, _NONE))
    outputs = ops.cast(outputs, inputs.dtype)
    if layer.use_bias:
        outputs = tf.nn.bias_add(outputs, layer.bias)
    return layer.activation(outputs)


_NONE = (0, 0)


def _is_wide(layer: layers.Conv2D, size: tuple[int, int]) -> bool:
    return 2 * max(layer.dilation_rate) > min(size)


def _taps(length: int, kernel: int, rate: int) -> Iterator[tuple[int, slice, tuple[int, int]]]:
    """Yield each weight along an axis that meets values: its index, which, and what to pad."""
    for index in range(kernel):
        offset = (index - kernel // 2) * rate
        if abs(offset) < length:
            before, behind = max(0, -offset), max(0, offset)
            yield index, slice(behind, length - before), (before, behind)
