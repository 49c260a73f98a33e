"""Recurrent Residual Convolutional Neural Network based on U-Net (R2U-Net).

Alom, Hasan, Yakopcic, Taha, Asari, 2018, arXiv 1802.06955.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor

from kseg.layers.decoder import contract, expand
from kseg.layers.head import head
from kseg.layers.recurrent import doubled_conv, recurrent_conv, recurrent_residual
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="r2unet",
    title="R2U-Net",
    paper="Recurrent Residual Convolutional Neural Network based on U-Net (R2U-Net) for Medical "
    "Image Segmentation",
    year=2018,
    arxiv="1802.06955",
    parameters=9_786_178,
    macs=29_217_685_504,
    stride=16,
    family="residual_unet",
    founding_parameters=17_652_930,
    founding_reason="its units were not recurrent: two convolutions with weights of their own "
    "instead of one that is repeated (`variant='legacy'`)",
    departures=(
        "32 filters at full size (`filters=64` for more)",
        "batch normalisation, whose weights and statistics all repetitions share",
        "nearest upsampling and a 3x3 convolution instead of a transposed one, which leaves "
        "checkerboards",
    ),
)


@register_model(_SPEC)
def r2unet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    levels: int = 5,
    steps: int = 2,
    variant: str = "default",
) -> KerasTensor:
    """Build the R2U-Net graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        steps: How often each convolution sees its own output again; no effect on "legacy".
        variant: "default", or "legacy" for the founding project's graph without recurrence.
    """
    check_at_least("r2unet", filters=(filters, 1), levels=(levels, 2), steps=(steps, 0))
    check_choice("r2unet", "variant", variant, ("default", "legacy"))
    unit = doubled_conv if variant == "legacy" else partial(recurrent_conv, steps=steps)
    block = partial(recurrent_residual, unit=unit)
    widths = [filters * 2**level for level in range(levels)]
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    *skips, x = contract(x, widths, block=block)
    x = expand(x, skips, widths, block=block)
    return head(x, num_classes, kernel_size=3, like=inputs)
