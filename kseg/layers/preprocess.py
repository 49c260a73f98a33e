"""Image normalisation as a layer, so that a saved model carries the one it was trained with."""

from __future__ import annotations

from keras import layers

_IMAGENET_MEAN_RGB = (123.68, 116.779, 103.939)

IMAGE_INITS = ("divide", "sub_mean", "sub_and_divide")


def image_init_layer(mode: str, channels: int = 3) -> layers.Layer:
    """Return the layer that normalises RGB images of 0..255, `(N, H, W, channels)`.

    Args:
        mode: "divide" gives `x / 255` (0..1), "sub_and_divide" gives `x / 127.5 - 1` (-1..1),
            "sub_mean" subtracts the ImageNet mean (123.68, 116.779, 103.939) of R, G and B.
        channels: Number of image channels; "sub_mean" needs 3.

    Raises:
        ValueError: An unknown mode, or "sub_mean" with another number of channels.
    """
    if mode == "divide":
        return layers.Rescaling(1 / 255, name="image_init")
    if mode == "sub_and_divide":
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="image_init")
    if mode == "sub_mean":
        if channels != 3:
            raise ValueError(f"image_init 'sub_mean' needs 3 image channels, got {channels}")
        return layers.Rescaling(1.0, [-mean for mean in _IMAGENET_MEAN_RGB], name="image_init")
    raise ValueError(f"image_init must be one of {', '.join(IMAGE_INITS)}; got {mode!r}")
