"""Max pooling that remembers where each maximum was, and its inverse."""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("kseg")
class MaxPoolWithIndices(layers.Layer):
    """Pool 2x2 with stride 2 and return `(pooled, indices)`.

    Input `(N, H, W, C)` with even height and width; both outputs are `(N, H/2, W/2, C)`.
    `indices` (int32, 0..3) counts the window row by row; of equal values the first wins, so
    exactly one position of each window is remembered (Badrinarayanan et al., SegNet, 2015,
    arXiv 1511.00561).
    """

    def call(self, inputs):
        # A gradient through comparisons of corners would take several times as long.
        pooled = ops.max_pool(inputs, 2, 2, data_format="channels_last")
        # Backwards, so that of equal values the first has the last word.
        *first, _ = _corners(inputs)
        indices = ops.zeros_like(pooled, dtype="int32") + len(first)
        for position, corner in reversed(list(enumerate(first))):
            indices = ops.where(corner == pooled, position, indices)
        return pooled, indices

    def compute_output_spec(self, inputs):
        batch, height, width, channels = inputs.shape
        shape = batch, _half(height), _half(width), channels
        return keras.KerasTensor(shape, inputs.dtype), keras.KerasTensor(shape, "int32")


@keras.saving.register_keras_serializable("kseg")
class MaxUnpool(layers.Layer):
    """Put each value back where `MaxPoolWithIndices` took it from; all other places are zero.

    Takes `[values, indices]`, both `(N, H, W, C)`, and returns `(N, 2H, 2W, C)`.
    """

    def call(self, inputs):
        values, indices = inputs
        corners = [ops.where(indices == position, values, 0) for position in range(4)]
        top, bottom = ops.stack(corners[:2], axis=3), ops.stack(corners[2:], axis=3)
        height, width = ops.shape(values)[1:3]
        shape = (-1, height * 2, width * 2, values.shape[-1])
        return ops.reshape(ops.stack([top, bottom], axis=2), shape)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape[0]
        return batch, _double(height), _double(width), channels


def max_pool(
    x: keras.KerasTensor, with_indices: bool, *, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor | None]:
    """Pool 2x2; also return where the maxima were, or None without `with_indices`."""
    if with_indices:
        return MaxPoolWithIndices(name=name)(x)
    return layers.MaxPooling2D(2, name=name)(x), None


def _corners(maps):
    """Return what is at each place of the 2x2 windows, row by row."""
    height, width = ops.shape(maps)[1:3]
    windows = ops.reshape(maps, (-1, height // 2, 2, width // 2, 2, maps.shape[-1]))
    # Copies whole pixels, where slices with steps take one value after the other.
    return [corner for row in ops.unstack(windows, axis=2) for corner in ops.unstack(row, axis=3)]


def _half(length: int | None) -> int | None:
    return None if length is None else length // 2


def _double(length: int | None) -> int | None:
    return None if length is None else length * 2
