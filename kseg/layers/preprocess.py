"""Image normalisation as a layer, so that a saved model carries the one it was trained with."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

_MEAN_RGB = (123.68, 116.779, 103.939)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)

IMAGE_INITS = ("divide", "sub_mean", "sub_and_divide", "caffe", "tf", "torch", "tf128")


def image_init_layer(mode: str, channels: int = 3) -> layers.Layer:
    """Return the layer that normalises RGB images of 0..255, `(N, H, W, channels)`.

    Args:
        mode: "divide" gives `x / 255` (0..1), "sub_and_divide" or "tf" `x / 127.5 - 1` (-1..1),
            "tf128" `x / 128 - 1`, "torch" `(x / 255 - mean) / std` of ImageNet. "sub_mean"
            subtracts the ImageNet mean (123.68, 116.779, 103.939) of R, G and B; "caffe" does so
            too and gives the channels in the order B, G, R.
        channels: Number of image channels. Others than three have the mean of the colours in
            turn (R, G, B, R, ...), a single one their mean; "sub_mean" needs 3.

    Raises:
        ValueError: An unknown mode, or "sub_mean" with another number of channels.
    """
    if mode == "divide":
        return layers.Rescaling(1 / 255, name="image_init")
    if mode in ("sub_and_divide", "tf"):
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="image_init")
    if mode == "tf128":
        return layers.Rescaling(1 / 128, offset=-1.0, name="image_init")
    if mode == "torch":
        mean, std = (_per_channel(values, channels) for values in (_TORCH_MEAN, _TORCH_STD))
        offset = [-m / s for m, s in zip(mean, std, strict=True)]
        return layers.Rescaling([1 / (255 * s) for s in std], offset, name="image_init")
    if mode == "sub_mean":
        if channels != 3:
            raise ValueError(f"image_init 'sub_mean' needs 3 image channels, got {channels}")
        return layers.Rescaling(1.0, [-mean for mean in _MEAN_RGB], name="image_init")
    if mode == "caffe":
        offset = [-mean for mean in _per_channel(_MEAN_RGB, channels)]
        # Other than three channels have no order to turn round; their kernels are in RGB order.
        layer = BGRRescaling if channels == 3 else layers.Rescaling
        return layer(1.0, offset, name="image_init")
    raise ValueError(f"image_init must be one of {', '.join(IMAGE_INITS)}; got {mode!r}")


def _per_channel(values: tuple[float, ...], channels: int) -> list[float]:
    if channels == 1:
        return [float(np.mean(values))]
    return [values[index % 3] for index in range(channels)]


@keras.saving.register_keras_serializable("kseg")
class BGRRescaling(layers.Rescaling):
    """Rescale `(N, H, W, 3)`, scale and offset in the order R, G, B, and turn RGB into BGR."""

    def call(self, inputs):
        return ops.flip(super().call(inputs), axis=-1)
