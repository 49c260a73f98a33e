"""The end of every model: class scores at input size, in float32."""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.resample import crop_like


def head(
    x: KerasTensor, num_classes: int, kernel_size: int = 1, *, like: KerasTensor
) -> KerasTensor:
    """Turn features into float32 logits, cropped to the size of `like`.

    The convolution stays in float32 under mixed precision, because a softmax over half-precision
    scores loses the difference between close classes.
    """
    conv = layers.Conv2D(
        num_classes, kernel_size, padding="same", dtype="float32", name="head_conv"
    )
    return crop_like(conv(x), like, name="head_crop")


def head_transposed(x: KerasTensor, num_classes: int, *, like: KerasTensor) -> KerasTensor:
    """Double the size with a 2x2 transposed convolution to float32 logits, cropped to `like`."""
    conv = layers.Conv2DTranspose(num_classes, 2, strides=2, dtype="float32", name="head_conv")
    return crop_like(conv(x), like, name="head_crop")
