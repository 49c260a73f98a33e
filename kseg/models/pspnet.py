"""Pyramid Scene Parsing Network.

Zhao, Shi, Qi, Wang, Jia, 2016, arXiv 1612.01105.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import conv_bn_relu, conv_relu, conv_relu_bn
from kseg.layers.head import head
from kseg.layers.pyramid import pyramid_branches, pyramid_pooling
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="pspnet",
    title="PSPNet",
    paper="Pyramid Scene Parsing Network",
    year=2016,
    arxiv="1612.01105",
    parameters=4_445_058,
    macs=3_031_599_104,
    stride=16,
    family="pyramid",
    founding_parameters=964_226,
    founding_reason="the founding project builds the pyramid but does not use its result",
    departures=(
        "four convolutions and pools instead of a dilated ResNet; "
        '`encoder="resnet50"` builds the paper\'s network',
        "without an encoder: 256 channels per branch of the pyramid and a second 1x1 convolution "
        "after it, as in the founding project",
    ),
)


@register_model(_SPEC)
def pspnet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder | None = None,
    variant: str = "default",
    filters: int = 64,
    dropout: float = 0.1,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the PSPNet graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone, used at stride 8; None for four convolutions at stride 16.
        variant: "default", or "legacy" for the founding project's graph without one.
        filters: Width of the first convolution of the model's own encoder; the layers after
            any encoder are 4 and 8 times as wide.
        dropout: Dropout before the class scores, 0..1.
        aux_heads: Return a dict with "logits" and "aux1", scores of the stage before the last.

    Raises:
        ValueError: Another variant, "legacy" with an encoder, or no positive `filters`.
    """
    check_choice("pspnet", "variant", variant, ("default", "legacy"))
    if encoder is not None:
        check_choice("pspnet with an encoder", "variant", variant, ("default",))
    check_at_least("pspnet", filters=(filters, 1))
    if encoder is None:
        before, x = _own_encoder(pad_to_multiple(inputs, 16, name="pad"), filters)
    else:
        pyramid = encoder(pad_to_multiple(inputs, 32, name="pad"), output_stride=8)
        before, x = pyramid.stages[16], pyramid.deepest
    if variant == "default":
        x = _own_pyramid(x, filters * 4) if encoder is None else _pyramid(x, filters * 8)
        x = layers.Dropout(dropout, name="head_dropout")(x)
    logits = head(x, num_classes, like=inputs, factor=16 if encoder is None else 8)
    if not aux_heads:
        return logits
    before = _aux_features(before, filters * 4, dropout)
    return {"logits": logits, "aux1": head(before, num_classes, like=inputs, factor=8, name="aux1")}


def _own_encoder(x: KerasTensor, filters: int) -> tuple[KerasTensor, KerasTensor]:
    """Return the features at 1/8 and 1/16 of the size."""
    before = x
    for level, width in enumerate((1, 2, 4, 4)):
        before = x
        x = conv_relu_bn(x, filters * width, name=f"enc{level}")
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
    return before, x


def _own_pyramid(x: KerasTensor, filters: int) -> KerasTensor:
    branches = pyramid_branches(x, filters, unit=conv_relu_bn, name="psp")
    outs = [
        conv_relu(branch, filters, 1, name=f"psp_out{index}")
        for index, branch in enumerate(branches)
    ]
    x = layers.Concatenate(name="psp_concat")([x, *outs])
    return conv_relu_bn(x, filters, name="psp_out")


def _pyramid(x: KerasTensor, filters: int) -> KerasTensor:
    """Give each scale a quarter of the channels, so that all together are as many as `x` has."""
    x = pyramid_pooling(x, max(1, x.shape[-1] // 4), use_bias=False, name="psp")
    return conv_bn_relu(x, filters, use_bias=False, name="psp_out")


def _aux_features(x: KerasTensor, filters: int, dropout: float) -> KerasTensor:
    x = conv_bn_relu(x, filters, use_bias=False, name="aux1_in")
    return layers.Dropout(dropout, name="aux1_dropout")(x)
