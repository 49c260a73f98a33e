"""Dilated convolutions of maps that their kernel spans."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product, starmap
from typing import Any

from keras import layers, ops

from kseg.kernels.plain import finished, is_plain

Tap = tuple[int, slice, tuple[int, int]]
"""A weight along an axis: its index, the values that it meets, and what to pad then."""


def can_dilate(layer: layers.Layer) -> bool:
    """Tell whether `dilate` can stand for the layer: a dilated convolution with a middle."""
    has_middle = is_plain(layer) and all(length % 2 for length in layer.kernel_size)
    return has_middle and max(layer.dilation_rate) > 1


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
    taps = starmap(_taps, zip(size, layer.kernel_size, layer.dilation_rate, strict=True))
    # Added up in 32 bits, whatever is multiplied.
    outputs = sum(_by_one_weight(layer, inputs, *pair) for pair in product(*taps))
    return finished(layer, ops.cast(outputs, inputs.dtype))


def _is_wide(layer: layers.Conv2D, size: tuple[int, int]) -> bool:
    return 2 * max(layer.dilation_rate) > min(size)


def _by_one_weight(layer: layers.Conv2D, inputs: Any, vertical: Tap, horizontal: Tap) -> Any:
    import tensorflow as tf

    (row, rows, above), (column, columns, left) = vertical, horizontal
    kernel = layer.kernel[row : row + 1, column : column + 1]
    part = tf.nn.conv2d(inputs[:, rows, columns], kernel, strides=1, padding="VALID")
    return ops.pad(ops.cast(part, "float32"), ((0, 0), above, left, (0, 0)))


def _taps(length: int, kernel: int, rate: int) -> Iterator[Tap]:
    """Yield the weights along an axis that meet any values."""
    for index in range(kernel):
        offset = (index - kernel // 2) * rate
        if abs(offset) < length:
            before, behind = max(0, -offset), max(0, offset)
            yield index, slice(behind, length - before), (before, behind)
