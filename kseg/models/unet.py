"""U-Net: Convolutional Networks for Biomedical Image Segmentation.

Ronneberger, Fischer, Brox, 2015, arXiv 1505.04597.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import conv_bn_relu, conv_relu, double_conv
from kseg.layers.decoder import Block, concat_skip, contract, encode, expand, plain_up
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, up_conv
from kseg.models.options import check_at_least, check_choice, decoder_widths
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="unet",
    title="U-Net",
    paper="U-Net: Convolutional Networks for Biomedical Image Segmentation",
    year=2015,
    arxiv="1505.04597",
    parameters=8_644_738,
    macs=12_557_647_872,
    stride=16,
    family="unet",
    aliases={"unet_vgg16": {"encoder": "vgg16"}, "unet_resnet50": {"encoder": "resnet50"}},
    founding_parameters=7_167_618,
    founding_reason="the block after the first concatenation was left out (`variant='legacy'`)",
    departures=(
        "32 filters at full size instead of 64 (`filters=64` is the paper's width): a quarter of "
        "the cost, enough for few images",
        "same instead of valid convolutions, so that the output has the size of the input",
        "batch normalisation, which trains faster from scratch (`variant='paper'` has none)",
        "a 3x3 instead of a 2x2 convolution after upsampling, which has a centre, and for the "
        "class scores a 3x3 instead of a 1x1 (`variant='paper'` has the paper's)",
        "no dropout at the end of the encoder (`dropout=0.5`)",
    ),
)


@register_model(_SPEC)
def unet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    levels: int = 5,
    variant: str = "default",
    dropout: float = 0.0,
    encoder: Encoder | None = None,
    decoder_filters: Sequence[int] | None = None,
) -> KerasTensor:
    """Build the U-Net graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level. The paper has 64.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        variant: "default"; "paper" for no batch normalisation, 2x2 up-convolutions and a 1x1
            head; "legacy" for the founding project's graph, without the coarsest decoder block.
        dropout: Rate after the two coarsest encoder blocks, 0..1; common is 0.5.
        encoder: Backbone instead of the network's own encoder. The decoder then upsamples without
            a convolution, also in "paper".
        decoder_filters: Widths over an encoder from the coarsest to full size; None for
            (256, 128, 64, 32, 16). With four over VGG the decoder starts at stride 16.
    """
    own = {"filters": (filters, 32), "levels": (levels, 5), "dropout": (dropout, 0)}
    check_at_least("unet", filters=(filters, 1), levels=(levels, 2), dropout=(dropout, 0))
    variants = ("default", "paper") if encoder else ("default", "paper", "legacy")
    check_choice("unet with an encoder" if encoder else "unet", "variant", variant, variants)
    widths = decoder_widths("unet", encoder, decoder_filters, **own)
    if encoder is None:
        x = _u(inputs, [filters * 2**level for level in range(levels)], variant, dropout)
    else:
        x = _over(encoder, inputs, widths, variant)
    return head(x, num_classes, kernel_size=1 if variant == "paper" else 3, like=inputs)


def _u(x: KerasTensor, widths: list[int], variant: str, dropout: float) -> KerasTensor:
    """Go down and up again with the network's own encoder."""
    unit, kernel_size = (conv_relu, 2) if variant == "paper" else (conv_bn_relu, 3)
    block, up = (
        partial(double_conv, unit=unit),
        partial(up_conv, kernel_size=kernel_size, unit=unit),
    )
    x = pad_to_multiple(x, 2 ** (len(widths) - 1), name="pad")
    *skips, x = contract(x, widths, block=_with_dropout(block, dropout, widths[-2:]))
    if variant == "legacy":
        name, filters = f"dec{len(widths) - 2}", widths[-2]
        x = concat_skip(up(x, filters, name=f"{name}_up"), skips.pop(), filters, name=name)
    return expand(x, skips, widths, up=up, block=block)


def _over(encoder: Encoder, x: KerasTensor, widths: list[int], variant: str) -> KerasTensor:
    """Go up from the features of an encoder."""
    plain = partial(double_conv, unit=conv_relu)
    block = plain if variant == "paper" else partial(double_conv, use_bias=False)
    *skips, x = encode(encoder, x, len(widths))
    return expand(x, skips, widths, up=plain_up, block=block)


def _with_dropout(block: Block, rate: float, widths: list[int]) -> Block:
    """Return the block with dropout behind it where its filters are among `widths`."""

    def dropped(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
        x = block(x, filters, name=name)
        if rate and filters in widths:
            x = layers.Dropout(rate, name=f"{name}_dropout")(x)
        return x

    return dropped
