"""The decoder of fully convolutional networks: class scores of three strides, summed."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers, ops

from kseg.layers.head import finish


def fcn8_scores(
    pool3: KerasTensor,
    pool4: KerasTensor,
    deep: KerasTensor,
    num_classes: int,
    *,
    like: KerasTensor,
    overlap: bool = True,
) -> KerasTensor:
    """Turn features of three strides into float32 logits at the size of `like`.

    FCN-8s (Long et al., 2014, arXiv 1411.4038): each stride is scored by a 1x1 convolution;
    transposed convolutions that start as bilinear interpolation bring the coarse scores to the
    next finer stride, where they are added. All of it is float32 under mixed precision.

    Args:
        pool3: Features `(N, H/8, W/8, C3)`, height and width padded to multiples of 32.
        pool4: Features `(N, H/16, W/16, C4)`.
        deep: Features `(N, H/32, W/32, C5)`.
        num_classes: Channels of the result.
        like: The images, whose size the logits get.
        overlap: Kernels of twice the stride, as in the paper; else of 2x2, 2x2 and 8x8. The last
            then goes in steps of four and its result is doubled bilinearly: in steps of eight each
            score would fill a square of its own, and squares follow no edge.
    """
    x = _score(deep, num_classes, name="score5")
    for level, pool in ((4, pool4), (3, pool3)):
        x = _enlarge(x, 2, 4 if overlap else 2, name=f"score{level}_up")
        score = _score(pool, num_classes, name=f"score{level}")
        x = layers.Add(dtype="float32", name=f"score{level}_add")([x, score])
    steps = 8 if overlap else 4
    x = _enlarge(x, steps, 2 * steps, name="head_conv")
    return finish(x, like=like, factor=8 // steps)


def _score(x: KerasTensor, num_classes: int, *, name: str) -> KerasTensor:
    return layers.Conv2D(num_classes, 1, dtype="float32", name=f"{name}_conv")(x)


def _enlarge(x: KerasTensor, factor: int, kernel_size: int, *, name: str) -> KerasTensor:
    layer = layers.Conv2DTranspose(
        x.shape[-1],
        kernel_size,
        strides=factor,
        padding="same",
        kernel_initializer=BilinearUpsampling(factor),
        dtype="float32",
        name=name,
    )
    return layer(x)


@keras.saving.register_keras_serializable("kseg")
class BilinearUpsampling(keras.initializers.Initializer):
    """Start a transposed convolution as bilinear interpolation, each channel for itself.

    With a kernel of the size of the stride, which reaches one value only, that is nearest
    interpolation. A constant map keeps its value, except at the border.

    Args:
        factor: Stride of the transposed convolution.
    """

    def __init__(self, factor: int):
        self.factor = factor

    def __call__(self, shape, dtype=None):
        height, width, outputs, inputs = shape
        rows = ops.reshape(self._taps(height), (height, 1, 1, 1))
        columns = ops.reshape(self._taps(width), (1, width, 1, 1))
        return ops.cast(rows * columns * ops.eye(outputs, inputs), dtype or "float32")

    def _taps(self, size: int) -> KerasTensor:
        """Return the one-dimensional kernel; the taps that meet in one output sum to 1."""
        middle = (size - 1) / 2
        taps = [max(0.0, 1 - abs(index - middle) / self.factor) for index in range(size)]
        sums = [sum(taps[index % self.factor :: self.factor]) for index in range(size)]
        return ops.array([tap / total for tap, total in zip(taps, sums, strict=True)])

    def get_config(self):
        return {"factor": self.factor}
