"""Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation.

Chen, Zhu, Papandreou, Schroff, Adam, 2018, arXiv 1802.02611.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.aspp import EPSILON, aspp
from kseg.layers.conv import conv_bn_relu, separable_conv_bn_relu
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, resize_like
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="deeplab_v3_plus",
    title="DeepLabV3+",
    paper="Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation",
    year=2018,
    arxiv="1802.02611",
    parameters=2_753_714,
    macs=1_056_424_704,
    stride=32,
    family="deeplab",
    default_encoder="mobilenetv2",
    # What the paper calls Xception is not the network that Keras has under this name.
    encoder_names={"xception": "xception65", "keras_xception": "xception"},
    aliases={
        "deeplab_v3_plus_mobilenetv2": {"encoder": "mobilenetv2"},
        "deeplab_v3_plus_xception": {"encoder": "xception"},
    },
    departures=(
        "MobileNetV2 as the default encoder, which trains on a laptop; `encoder='xception'` is "
        "the paper's modified Xception-65 (Keras' own is `encoder='keras_xception'`)",
        "resizing with half-pixel centres instead of aligned corners",
    ),
)


@register_model(_SPEC)
def deeplab_v3_plus(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    output_stride: int = 16,
    filters: int = 256,
    low_level_filters: int = 48,
    dropout: float = 0.1,
) -> KerasTensor:
    """Build the DeepLabV3+ graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: The backbone.
        output_stride: 16 (dilation rates 6, 12, 18) or 8 (12, 24, 36; finer and dearer).
        filters: Channels of the pyramid and the decoder.
        low_level_filters: Channels that the features at stride 4 are reduced to.
        dropout: Dropout after the pyramid, 0..1.

    Raises:
        ValueError: Another output stride.
    """
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride must be 8 or 16, got {output_stride!r}")
    rates = tuple(rate * 16 // output_stride for rate in (6, 12, 18))
    unit = partial(separable_conv_bn_relu, epsilon=EPSILON)
    x = pad_to_multiple(inputs, 32, name="pad")
    pyramid = encoder(x, output_stride=output_stride)
    x = aspp(pyramid.deepest, filters, rates, unit=unit, dropout=dropout)
    skip = conv_bn_relu(
        pyramid.features[4],
        low_level_filters,
        1,
        use_bias=False,
        epsilon=EPSILON,
        name="decoder_skip",
    )
    x = resize_like(x, skip, name="decoder_resize")
    x = layers.Concatenate(name="decoder_concat")([x, skip])
    x = unit(x, filters, name="decoder_a")
    x = unit(x, filters, name="decoder_b")
    return head(x, num_classes, like=inputs, factor=4)
