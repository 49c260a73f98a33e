"""A U-Net on Xception with residual blocks in the decoder.

Xception: Deep Learning with Depthwise Separable Convolutions, Chollet, 2016, arXiv 1610.02357.
The decoder is one that was common in the TGS Salt competition of 2018; no paper has the pair.
"""

from __future__ import annotations

from collections import Counter

import keras
from keras import KerasTensor, layers

from kseg.layers.conv import BATCH_NORM_MOMENTUM, batch_norm, conv, conv_bn
from kseg.layers.decoder import expand
from kseg.layers.head import head
from kseg.layers.head import head_bn as normalised_head
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="unet_xception_resnetblock",
    title="Xception-U-Net",
    paper="Xception: Deep Learning with Depthwise Separable Convolutions",
    year=2016,
    arxiv="1610.02357",
    parameters=38_431_730,
    macs=10_213_970_400,
    stride=32,
    family="residual_unet",
    founding_parameters=38_431_730,
    departures=(
        "features at 1/2 and 1/4 are padded on both sides, so that they lie where the decoder's "
        "are; the founding project pads top and left, which shifts them",
        "batch normalisation of the class scores (`head_bn=False` leaves it out)",
    ),
)

_TAPS = ("block2_sepconv2_bn", "block3_sepconv2_bn", "block4_sepconv2_bn", "block13_sepconv2_bn")
"""Layers of Keras' Xception whose outputs are taken, at 1/2, 1/4, 1/8 and 1/16."""


@register_model(_SPEC)
def unet_xception_resnetblock(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 16,
    dropout: float = 0.1,
    head_bn: bool = True,
) -> KerasTensor:
    """Build the graph of a U-Net on Xception.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the decoder at full size; it doubles at each of its six resolutions.
        dropout: Dropout before each level of the decoder, 0..1; half of it before the scores.
        head_bn: Normalise the class scores over the batch.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("unet_xception_resnetblock", filters=(filters, 1))
    skips = _skips(pad_to_multiple(inputs, 32, name="pad"))
    x = layers.MaxPooling2D(2, name="deep_pool")(skips[-1])
    x = layers.Dropout(dropout, name="deep_dropout")(x)
    x = _stage(x, filters * 32, name="deep")

    def merge(x: KerasTensor, skip: KerasTensor | None, _, *, name: str) -> KerasTensor:
        if skip is not None:
            x = layers.Concatenate(name=f"{name}_concat")([x, skip])
        return layers.Dropout(dropout, name=f"{name}_dropout")(x)

    widths = [filters * 2**level for level in range(5)]
    x = expand(x, [None, *skips], widths, up=_up, merge=merge, block=_stage)
    x = layers.Dropout(dropout / 2, name="head_dropout")(x)
    return (normalised_head if head_bn else head)(x, num_classes, 3, like=inputs)


def _skips(x: KerasTensor) -> list[KerasTensor]:
    """Return the features at 1/2, 1/4, 1/8 and 1/16 of the size, which is a multiple of 32.

    The stem has no padding: its two convolutions lose three rows and columns, one at the top and
    left and two at the bottom and right, of which the next pool leaves one.
    """
    half, quarter, eighth, sixteenth = _xception(x.shape[-1])(x)
    half = layers.ZeroPadding2D(((1, 2), (1, 2)), name="enc1_pad")(half)
    quarter = layers.ZeroPadding2D(((0, 1), (0, 1)), name="enc2_pad")(quarter)
    return [half, quarter, eighth, _leaky(sixteenth, name="enc4")]


def _xception(channels: int) -> keras.Model:
    """Return the model "encoder", Keras' Xception cut where the decoder takes its features."""
    image = keras.Input((None, None, channels), name="encoder_image")
    stock = keras.applications.Xception(include_top=False, weights=None, input_tensor=image)
    taps = [stock.get_layer(name).output for name in _TAPS]
    counts = Counter()

    def renamed(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            config["momentum"] = BATCH_NORM_MOMENTUM
        # Keras numbers the layers without "block" in their names anew in each model.
        if not layer.name.startswith("block"):
            kind = layer.__class__.__name__.lower()
            counts[kind] += 1
            config["name"] = f"shortcut{counts[kind]}_{kind}"
        return layer.__class__.from_config(config)

    cut = keras.Model(stock.input, taps, name="encoder")
    return keras.models.clone_model(cut, clone_function=renamed)


def _up(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    layer = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", name=f"{name}_conv")
    return layer(x)


def _stage(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    x = conv(x, filters, name=f"{name}_a")
    x = _residual(x, filters, name=f"{name}_b")
    x = _residual(x, filters, name=f"{name}_c")
    return _leaky(x, name=f"{name}_out")


def _residual(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Add two convolutions of the activated input to the normalised input."""
    y = batch_norm(_leaky(x, name=f"{name}_in"), name=f"{name}_in_bn")
    y = _leaky(conv_bn(y, filters, name=f"{name}_1"), name=f"{name}_1")
    y = conv_bn(y, filters, name=f"{name}_2")
    shortcut = batch_norm(x, name=f"{name}_shortcut_bn")
    return layers.Add(name=f"{name}_add")([y, shortcut])


def _leaky(x: KerasTensor, *, name: str) -> KerasTensor:
    return layers.LeakyReLU(negative_slope=0.1, name=f"{name}_relu")(x)
