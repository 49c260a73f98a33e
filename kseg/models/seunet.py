"""U-Net with squeeze-and-excitation after every block.

Squeeze-and-Excitation Networks: Hu, Shen, Albanie, Sun, Wu, 2017, arXiv 1709.01507. No paper
describes the pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor

from kseg.layers.attention import squeeze_excite
from kseg.layers.conv import double_conv
from kseg.layers.decoder import Block, contract, expand
from kseg.layers.head import head
from kseg.layers.head import head_bn as normalised_head
from kseg.layers.resample import pad_to_multiple, up_conv
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="seunet",
    title="SE-U-Net",
    paper="Squeeze-and-Excitation Networks",
    year=2017,
    arxiv="1709.01507",
    parameters=1_964_530,
    macs=2_643_688_576,
    stride=16,
    family="attention_unet",
    founding_parameters=1_964_530,
    departures=(
        "a U-Net with 16 filters at full size; the paper has classifiers",
        "channels are squeezed by 2 to 16 instead of always 16, since 16 channels squeezed by 16 "
        "would be one",
        "batch normalisation of the class scores (`head_bn=False` leaves it out, which is better "
        "for small batches)",
    ),
)

_INIT = {"kernel_initializer": "he_normal"}
_ENCODER_RATIOS = (4, 8, 8, 16, 16)
_DECODER_RATIOS = (2, 4, 8, 16)


@register_model(_SPEC)
def seunet(
    inputs: KerasTensor, num_classes: int, *, filters: int = 16, head_bn: bool = True
) -> KerasTensor:
    """Build a U-Net of five levels with squeeze-and-excitation after every block.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        head_bn: Normalise the class scores over the batch.
    """
    check_at_least("seunet", filters=(filters, 1))
    widths = [filters * 2**level for level in range(5)]
    x = pad_to_multiple(inputs, 16, name="pad")
    *skips, x = contract(x, widths, block=_block(widths, _ENCODER_RATIOS))
    up = partial(up_conv, kernel_size=2, **_INIT)
    x = expand(x, skips, widths, up=up, block=_block(widths, _DECODER_RATIOS))
    finish = normalised_head if head_bn else head
    return finish(x, num_classes, kernel_size=3, like=inputs)


def _block(widths: Sequence[int], ratios: Sequence[int]) -> Block:
    """Return two 3x3 conv-BN-ReLU and squeeze-and-excitation with the ratio of their width."""
    ratio_of = dict(zip(widths, ratios, strict=False))

    def block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
        x = double_conv(x, filters, name=name, **_INIT)
        return squeeze_excite(x, ratio_of[filters], name=f"{name}_se", **_INIT)

    return block
