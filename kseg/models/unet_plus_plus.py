"""UNet++: A Nested U-Net Architecture for Medical Image Segmentation.

Zhou, Siddiquee, Tajbakhsh, Liang, 2018, arXiv 1807.10165.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import double_conv
from kseg.layers.decoder import Block, contract, encode, expand, plain_up
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, decoder_widths
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="unet++",
    title="UNet++",
    paper="UNet++: A Nested U-Net Architecture for Medical Image Segmentation",
    year=2018,
    arxiv="1807.10165",
    parameters=9_171_170,
    macs=26_430_308_352,
    stride=16,
    family="nested_unet",
    founding_parameters=9_171_170,
    departures=(
        "one head on the last node; `deep_supervision=True` adds those of the nodes before it",
        "nearest upsampling instead of a transposed convolution, which leaves checkerboards",
        "batch normalisation; a 3x3 instead of a 1x1 convolution for the class scores "
        "(`head_kernel=1`)",
    ),
)


@register_model(_SPEC)
def unet_plus_plus(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    levels: int = 5,
    head_kernel: int = 3,
    deep_supervision: bool = False,
    encoder: Encoder | None = None,
    decoder_filters: Sequence[int] | None = None,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the UNet++ graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        head_kernel: Size of the convolution to class scores; the paper has 1.
        deep_supervision: Add heads on the shorter nested networks, "aux1" on the shortest.
        encoder: Backbone instead of the network's own encoder.
        decoder_filters: Widths over an encoder from stride 16 to full size; None for
            (256, 128, 64, 32, 16). Nodes before the last of a level are as wide as the encoder.
    """
    check_at_least("unet++", filters=(filters, 1), levels=(levels, 2), head_kernel=(head_kernel, 1))
    own = {"filters": (filters, 32), "levels": (levels, 5)}
    widths = decoder_widths("unet++", encoder, decoder_filters, **own)
    if encoder is None:
        widths = [filters * 2**level for level in range(levels)]
        x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
        (*aux, x), factor = _nest(contract(x, widths), widths, double_conv), 1
    else:
        (*aux, x), factor = _nest_over(encode(encoder, inputs, len(widths)), widths)
    logits = head(x, num_classes, head_kernel, like=inputs)
    if not deep_supervision:
        return logits
    return {"logits": logits} | {
        name: head(node, num_classes, head_kernel, like=inputs, factor=factor, name=name)
        for name, node in ((f"aux{index}", node) for index, node in enumerate(aux, start=1))
    }


def _nest(
    features: Sequence[KerasTensor], widths: Sequence[int], block: Block, finest: int = 0
) -> list[KerasTensor]:
    """Fill in the nodes between encoder and decoder; return those of the finest level.

    Node `column` of a level sees all nodes before it in its level and the one diagonally below.
    The last node of a level has the decoder's width, the others have the encoder's.
    """
    rows = [[feature] for feature in features]
    for column in range(1, len(rows)):
        last = len(rows) - column - 1
        for level in range(last + 1):
            name, row = f"node{finest + level}{column}", rows[level]
            below = plain_up(rows[level + 1][column - 1], 0, name=name)
            x = layers.Concatenate(name=f"{name}_concat")([*row, below])
            filters = widths[level] if level == last else row[0].shape[-1]
            row.append(block(x, filters, name=name))
    return rows[0][1:]


def _nest_over(
    features: Sequence[KerasTensor | None], widths: Sequence[int]
) -> tuple[list[KerasTensor], int]:
    """Nest over an encoder; the last of the nodes is brought to full size, the stride is theirs."""
    block = partial(double_conv, use_bias=False)
    finest = features.count(None)
    *aux, x = _nest(features[finest:], widths[finest:], block, finest)
    x = expand(x, [None] * finest, widths, up=plain_up, block=block)
    return [*aux, x], 2**finest
