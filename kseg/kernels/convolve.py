"""Convolutions of enlarged maps without the enlarging."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import starmap
from typing import Any

from keras import layers, ops

from kseg.kernels.enlarge import PARTS, SOURCE
from kseg.kernels.plain import finished, is_plain

Way = Callable[[Any, Any], Any]

# Maps of more channels are small, and adding up a large kernel costs more than it saves.
_MOST_CHANNELS = 512
_NONE = (0, 0)
_ROWS = ((1, 0), _NONE, _NONE, _NONE), ((0, 1), _NONE, _NONE, _NONE)
_COLUMNS = (_NONE, (1, 0), _NONE, _NONE), (_NONE, (0, 1), _NONE, _NONE)


def can_convolve(layer: layers.Layer) -> bool:
    """Tell whether `convolve` can stand for the layer: a usual convolution of 3x3."""
    return is_plain(layer) and (layer.kernel_size, layer.dilation_rate) == ((3, 3), (1, 1))


def convolve(layer: layers.Conv2D, inputs: Any, *, way: Way) -> Any:
    """Return what the layer does, for maps that were enlarged from smaller ones.

    Of the nine pixels under a kernel several are copies of one value, whose weights can be added
    up first; that leaves four ninths of the multiplications. The parts of a concatenation are
    convolved one by one. TensorFlow then leaves out enlarging and concatenation, as nothing uses
    them; so nothing has a gradient with respect to the enlarged maps either.

    Args:
        layer: The layer.
        inputs: Maps `(N, H, W, C)`.
        way: `by_transposing` or `by_blocks`.
    """
    parts = getattr(inputs, PARTS, (inputs,))
    if not any(map(_is_merged, parts)):
        return layers.Conv2D.call(layer, inputs)
    import tensorflow as tf

    # Weights are added up in 32 bits, whatever they are used in.
    kernel = ops.cast(layer.kernel, "float32")
    kernels = tf.split(kernel, [part.shape[-1] for part in parts], axis=2)
    outputs = sum(starmap(partial(_convolved, way), zip(parts, kernels, strict=True)))
    return finished(layer, outputs)


def by_transposing(source: Any, kernel: Any) -> Any:
    """Convolve by one transposed convolution: the better way while weights change."""
    import tensorflow as tf

    for before, behind in _ROWS, _COLUMNS:
        kernel = ops.pad(kernel, before) + ops.pad(kernel, behind)
    kernel = ops.cast(ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2)), source.dtype)
    shape = _doubled(source, kernel.shape[2])
    return tf.nn.conv2d_transpose(source, kernel, shape, strides=2, padding="SAME")


def by_blocks(source: Any, kernel: Any) -> Any:
    """Convolve by a kernel of 2x2 for each pixel of a block: the better way for constant weights.

    Transposed convolutions are slow where TensorFlow computes without oneDNN.
    """
    import tensorflow as tf

    def pixel(y: int, x: int) -> Any:
        around = [[0, 0], [1 - y, y], [1 - x, x], [0, 0]]
        summed = ops.cast(_halved(_halved(kernel, 0, y), 1, x), source.dtype)
        return tf.nn.conv2d(source, summed, 1, around)

    rows = [ops.concatenate([pixel(y, 0), pixel(y, 1)], axis=-1) for y in (0, 1)]
    # Side by side in memory, the pixels and rows of a block follow each other.
    return ops.reshape(ops.concatenate(rows, axis=2), _doubled(source, kernel.shape[-1]))


def _is_merged(maps: Any) -> bool:
    return hasattr(maps, SOURCE) and maps.shape[-1] <= _MOST_CHANNELS


def _convolved(way: Way, maps: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if _is_merged(maps):
        return way(getattr(maps, SOURCE), kernel)
    return tf.nn.conv2d(maps, ops.cast(kernel, maps.dtype), strides=1, padding="SAME")


def _doubled(source: Any, channels: int) -> tuple[Any, ...]:
    count, height, width = ops.shape(source)[:3]
    return count, 2 * height, 2 * width, channels


def _halved(kernel: Any, axis: int, position: int) -> Any:
    """Return a kernel of two instead of three along an axis, for one pixel of each pair."""
    first, middle, last = ops.split(kernel, 3, axis)
    parts = (first, middle + last) if position == 0 else (first + middle, last)
    return ops.concatenate(parts, axis)
