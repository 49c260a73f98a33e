"""Bilinear interpolation to sizes that may be known only at run time."""

from __future__ import annotations

from keras import ops
from keras.src import backend


def resize_bilinear(x, size):
    """Resize the tensor `(N, h, w, C)` to `size` with half-pixel centres; the type stays.

    Args:
        x: Tensor `(N, h, w, C)`.
        size: Height and width, integers or scalar tensors.
    """
    if all(isinstance(length, int) for length in size):
        resized = ops.image.resize(x, tuple(size), interpolation="bilinear")
    else:
        # Keras 3.15's public function compares the size with zero in Python, which TensorFlow
        # refuses for the symbolic sizes of a compiled function; what it then calls is fine.
        resized = backend.image.resize(x, tuple(size), interpolation="bilinear")
    return ops.cast(resized, x.dtype)
