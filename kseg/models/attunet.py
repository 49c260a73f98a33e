"""Attention U-Net: Learning Where to Look for the Pancreas.

Oktay, Schlemper, Le Folgoc, Lee, Heinrich, Misawa, Mori, McDonagh, Hammerla, Kainz, Glocker,
Rueckert, 2018, arXiv 1804.03999.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor

from kseg.encoders import Encoder
from kseg.layers.conv import double_conv
from kseg.layers.decoder import contract, encode, expand, gated_skip, plain_up
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, check_choice, decoder_widths
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="attunet",
    title="Attention U-Net",
    paper="Attention U-Net: Learning Where to Look for the Pancreas",
    year=2018,
    arxiv="1804.03999",
    parameters=8_913_058,
    macs=13_174_210_560,
    stride=16,
    family="attention_unet",
    founding_parameters=8_913_058,
    departures=(
        "for images instead of volumes, with 32 filters at full size (`filters=64` for more)",
        "a gate has one weight per value instead of one per place (`gate_channels=1`) and compares "
        "in all channels instead of half of them (`gate_ratio=2`)",
        "the gating signal is taken after upsampling, so the gate needs no resampling of its own",
        "batch normalisation inside the gate; no deep supervision",
    ),
)


@register_model(_SPEC)
def attunet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    levels: int = 5,
    gate_channels: int | None = None,
    gate_ratio: int = 1,
    encoder: Encoder | None = None,
    decoder_filters: Sequence[int] | None = None,
) -> KerasTensor:
    """Build the Attention U-Net graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        gate_channels: 1 for one weight per place, as in the paper; None for one per value.
        gate_ratio: A gate compares in the level's filters divided by this; the paper has 2.
        encoder: Backbone instead of the network's own encoder.
        decoder_filters: Widths over an encoder from stride 16 to full size; None for
            (256, 128, 64, 32, 16).
    """
    check_at_least("attunet", filters=(filters, 1), levels=(levels, 2), gate_ratio=(gate_ratio, 1))
    check_choice("attunet", "gate_channels", gate_channels, (None, 1))
    widths = decoder_widths(
        "attunet", encoder, decoder_filters, filters=(filters, 32), levels=(levels, 5)
    )
    merge = partial(gated_skip, channels=gate_channels, ratio=gate_ratio)
    if encoder is None:
        widths = [filters * 2**level for level in range(levels)]
        x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
        *skips, x = contract(x, widths)
        x = expand(x, skips, widths, merge=merge)
    else:
        *skips, x = encode(encoder, inputs, len(widths))
        block = partial(double_conv, use_bias=False)
        x = expand(x, skips, widths, up=plain_up, merge=merge, block=block)
    return head(x, num_classes, kernel_size=3, like=inputs)
