"""The end of every model: class scores at input size, in float32."""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import BATCH_NORM_MOMENTUM
from kseg.layers.resample import crop_like, upsample


def head(
    x: KerasTensor,
    num_classes: int,
    kernel_size: int = 1,
    *,
    like: KerasTensor,
    factor: int = 1,
    name: str = "head",
    **options,
) -> KerasTensor:
    """Turn features into float32 logits at the size of `like`.

    The convolution stays in float32 under mixed precision, because a softmax over half-precision
    scores loses the difference between close classes.

    Args:
        x: Features `(N, h, w, C)`.
        num_classes: Channels of the result.
        kernel_size: Size of the convolution.
        like: The images `(N, H, W, C)`; `h * factor >= H`, what is over is cropped.
        factor: Whole factor of the bilinear enlargement after the convolution.
        name: First part of the layers' names; auxiliary heads need one of their own.
        **options: Options of `Conv2D`.
    """
    layer = layers.Conv2D(
        num_classes, kernel_size, padding="same", dtype="float32", name=f"{name}_conv", **options
    )
    return finish(layer(x), like=like, factor=factor, name=name)


def finish(
    logits: KerasTensor, *, like: KerasTensor, factor: int = 1, name: str = "head"
) -> KerasTensor:
    """Enlarge float32 logits bilinearly by `factor` and crop them to the size of `like`."""
    logits = upsample(logits, factor, name=f"{name}_up")
    return crop_like(logits, like, name=f"{name}_crop")


def head_transposed(x: KerasTensor, num_classes: int, *, like: KerasTensor) -> KerasTensor:
    """Double the size with a 2x2 transposed convolution to float32 logits, cropped to `like`."""
    conv = layers.Conv2DTranspose(num_classes, 2, strides=2, dtype="float32", name="head_conv")
    return finish(conv(x), like=like)


def head_bn(
    x: KerasTensor, num_classes: int, kernel_size: int = 3, *, like: KerasTensor, **options
) -> KerasTensor:
    """Normalise the logits of `head` over the batch, as several older networks do, in float32."""
    logits = head(x, num_classes, kernel_size, like=like, **options)
    norm = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, dtype="float32", name="head_bn")
    return norm(logits)
