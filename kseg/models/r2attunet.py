"""R2U-Net with the attention gates of Attention U-Net.

No paper describes the combination; it puts together Alom et al., 2018, arXiv 1802.06955, and Oktay
et al., 2018, arXiv 1804.03999.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor

from kseg.layers.conv import double_conv
from kseg.layers.decoder import contract, expand, gated_skip
from kseg.layers.head import head
from kseg.layers.recurrent import doubled_conv, recurrent_conv, recurrent_residual
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="r2attunet",
    title="R2 Attention U-Net",
    paper="Recurrent Residual Convolutional Neural Network based on U-Net (R2U-Net) for Medical "
    "Image Segmentation",
    year=2018,
    arxiv="1802.06955",
    parameters=10_663_298,
    macs=23_874_142_208,
    stride=16,
    family="attention_unet",
    founding_parameters=16_958_530,
    founding_reason="its units were not recurrent: two convolutions with weights of their own "
    "instead of one that is repeated (`variant='legacy'`)",
    departures=(
        "32 filters at full size (`filters=64` for more)",
        "two plain convolutions per decoder block; `recurrent_decoder=True` repeats them there too",
        "gates with one weight per value that compare in all channels, as in `attunet`",
    ),
)


@register_model(_SPEC)
def r2attunet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    levels: int = 5,
    steps: int = 2,
    recurrent_decoder: bool = False,
    gate_channels: int | None = None,
    gate_ratio: int = 1,
    variant: str = "default",
) -> KerasTensor:
    """Build the graph of R2U-Net with attention gates.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        steps: How often each convolution sees its own output again; no effect on "legacy".
        recurrent_decoder: Use recurrent blocks in the decoder too.
        gate_channels: 1 for one weight per place; None for one per value.
        gate_ratio: A gate compares in the level's filters divided by this.
        variant: "default", or "legacy" for the founding project's graph without recurrence.
    """
    check_at_least("r2attunet", filters=(filters, 1), levels=(levels, 2), steps=(steps, 0))
    check_at_least("r2attunet", gate_ratio=(gate_ratio, 1))
    check_choice("r2attunet", "gate_channels", gate_channels, (None, 1))
    check_choice("r2attunet", "variant", variant, ("default", "legacy"))
    unit = doubled_conv if variant == "legacy" else partial(recurrent_conv, steps=steps)
    block = partial(recurrent_residual, unit=unit)
    widths = [filters * 2**level for level in range(levels)]
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    *skips, x = contract(x, widths, block=block)
    decode = block if recurrent_decoder else double_conv
    merge = partial(gated_skip, channels=gate_channels, ratio=gate_ratio)
    x = expand(x, skips, widths, merge=merge, block=decode)
    return head(x, num_classes, kernel_size=3, like=inputs)
