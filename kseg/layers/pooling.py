"""Pooling to a fixed number of bins, for inputs of any size."""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("kseg")
class AdaptiveAveragePool(layers.Layer):
    """Average `(N, H, W, C)` to `(N, bins, bins, C)`, whatever height and width are.

    Bin `i` is the mean of rows `floor(i H / bins)` up to, not including, `ceil((i + 1) H / bins)`,
    as in PyTorch's adaptive pooling; so there may be more bins than rows. Keras'
    `AdaptiveAveragePooling2D` needs a static height and width. Written as one matrix product per
    axis, which every backend and ONNX can run on sizes known only at run time.

    Args:
        bins: Positive number of rows and columns of the output.
    """

    def __init__(self, bins: int, **kwargs):
        super().__init__(**kwargs)
        self.bins = bins

    def call(self, inputs):
        height, width = ops.shape(inputs)[1:3]
        x = ops.einsum("bh,nhwc->nbwc", self._weights(height), inputs)
        return ops.einsum("bw,nhwc->nhbc", self._weights(width), x)

    def _weights(self, length):
        """Return the `(bins, length)` matrix whose rows average one bin each."""
        position = ops.arange(length, dtype="int32")[None]
        bin_index = ops.arange(self.bins, dtype="int32")[:, None]
        first = bin_index * length // self.bins
        last = ((bin_index + 1) * length + self.bins - 1) // self.bins
        inside = ops.cast((position >= first) & (position < last), self.compute_dtype)
        return inside / ops.sum(inside, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.bins, self.bins, input_shape[3]

    def get_config(self):
        return {**super().get_config(), "bins": self.bins}


def global_average_pool(x, *, name: str):
    """Return the mean over height and width as `(N, 1, 1, C)`."""
    return layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)


def average_pool(x, size: int, strides: int, *, name: str):
    """Return means over windows of an odd `size`, `(N, ceil(H / strides), ceil(W / strides), C)`.

    Zeros beyond the border count, as in PyTorch's pooling and so in the papers' networks. Written
    with explicit padding, because backends disagree on "same" average pooling.
    """
    x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return layers.AveragePooling2D(size, strides, name=name)(x)
