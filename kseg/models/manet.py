"""MA-Net: A Multi-Scale Attention Network for Liver and Tumor Segmentation.

Fan, Wang, Li, Wang, 2020, IEEE Access 8, doi 10.1109/ACCESS.2020.3025372.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.attention import channel_gate
from kseg.layers.conv import conv, conv_bn_relu, double_conv
from kseg.layers.decoder import encode
from kseg.layers.head import head
from kseg.layers.position_attention import PositionAttention
from kseg.layers.resample import upsample
from kseg.models.options import check_at_least, decoder_widths
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="manet",
    title="MA-Net",
    paper="MA-Net: A Multi-Scale Attention Network for Liver and Tumor Segmentation",
    year=2020,
    arxiv="",
    parameters=31_805_730,
    macs=6_373_356_096,
    stride=32,
    family="pyramid",
    default_encoder="resnet34",
    departures=("a ResNet-34 instead of an encoder of its own, as in segmentation_models_pytorch",),
)


@register_model(_SPEC)
def manet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    decoder_filters: Sequence[int] | None = None,
    attention_filters: int = 64,
    ratio: int = 16,
) -> KerasTensor:
    """Build the MA-Net graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone.
        decoder_filters: Widths from stride 16 to full size; None for (256, 128, 64, 32, 16).
        attention_filters: Channels in which the places of the coarsest map are compared.
        ratio: Divisor of the channels inside the channel gates.

    Raises:
        ValueError: Widths that do not fit the encoder, or a number below 1.
    """
    check_at_least("manet", attention_filters=(attention_filters, 1), ratio=(ratio, 1))
    widths = decoder_widths("manet", encoder, decoder_filters)
    *skips, x = encode(encoder, inputs, len(widths))
    x = _position_attention(x, attention_filters, name="center")
    for level in reversed(range(len(widths))):
        name = f"dec{level}"
        if skips[level] is None:
            x = upsample(x, 2, interpolation="nearest", name=f"{name}_up")
        else:
            x = _fuse(x, skips[level], ratio, name=name)
        x = double_conv(x, widths[level], use_bias=False, name=name)
    return head(x, num_classes, kernel_size=3, like=inputs)


def _position_attention(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Let each place of the map take up what similar places hold (PAB)."""
    query = conv(x, filters, 1, name=f"{name}_query")
    key = conv(x, filters, 1, name=f"{name}_key")
    value = conv(x, x.shape[-1], name=f"{name}_value")
    y = PositionAttention(name=f"{name}_attention")([query, key, value])
    y = layers.Add(name=f"{name}_add")([x, y])
    return conv(y, x.shape[-1], name=f"{name}_out")


def _fuse(x: KerasTensor, skip: KerasTensor, ratio: int, *, name: str) -> KerasTensor:
    """Double the size of `x`, weight its channels by both maps, put `skip` behind it (MFAB)."""
    filters = skip.shape[-1]
    x = conv_bn_relu(x, x.shape[-1], use_bias=False, name=f"{name}_high")
    x = conv_bn_relu(x, filters, 1, use_bias=False, name=f"{name}_reduce")
    x = upsample(x, 2, interpolation="nearest", name=f"{name}_up")
    squeezed = max(1, filters // ratio)
    gates = [
        channel_gate(y, squeezed, name=f"{name}_gate_{part}")
        for part, y in (("high", x), ("low", skip))
    ]
    gate = layers.Add(name=f"{name}_gate_add")(gates)
    x = layers.Multiply(name=f"{name}_scale")([x, gate])
    return layers.Concatenate(name=f"{name}_concat")([x, skip])
