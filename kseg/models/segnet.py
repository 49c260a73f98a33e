"""SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation.

Badrinarayanan, Kendall, Cipolla, 2015, arXiv 1511.00561.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import KerasTensor, layers

from kseg.layers.conv import conv_relu_bn
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple
from kseg.layers.unpool import MaxUnpool, max_pool
from kseg.layers.vgg import VGG16_DEPTHS, VGG16_WIDTHS, conv_stack
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="segnet",
    title="SegNet",
    paper="SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation",
    year=2015,
    arxiv="1511.00561",
    parameters=2_941_218,
    macs=5_595_627_520,
    stride=16,
    family="fcn",
    founding_parameters=2_941_218,
    aliases={
        "segnet_vgg16": {
            "filters": tuple(64 * width for width in VGG16_WIDTHS),
            "depths": VGG16_DEPTHS,
            "decoder_depths": (1, 2, 3, 3, 3),
        }
    },
    departures=(
        "four levels of 32 to 256 filters with two convolutions each instead of VGG16's five "
        "(`segnet_vgg16` is the paper's size)",
        "the same convolutions as in the founding project, which has no indices; each "
        "upsampling comes after the convolution that changes the width, as in the paper, because "
        "only there the map has the channels of the indices",
        "ReLU before batch normalisation",
        "a 1x1 instead of a 3x3 convolution for the class scores",
    ),
)


@register_model(_SPEC)
def segnet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: Sequence[int] = (32, 64, 128, 256),
    depths: Sequence[int] = (2, 2, 2, 2),
    decoder_depths: Sequence[int] = (1, 2, 2, 3),
    unpooling: bool = True,
) -> KerasTensor:
    """Build the SegNet graph, whose decoder puts values back where the maxima were.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of each resolution, finest first; there are `2 ** len(filters)` pixels
            to a side of the coarsest cell.
        depths: Convolutions of each resolution on the way down.
        decoder_depths: Convolutions of each resolution on the way up; the last of each changes
            the width to that of the next finer one.
        unpooling: Upsample with the positions of the maxima. Without, the upsampling is nearest:
            the same parameters, and every deployment format can express it.

    Raises:
        ValueError: The three lists have different lengths, or hold a number below 1.
    """
    sizes = (filters, depths, decoder_depths)
    if len({len(size) for size in sizes}) > 1 or min(map(min, sizes), default=0) < 1:
        raise ValueError(
            "segnet needs filters, depths and decoder_depths of one length and of at least 1, "
            f"got {tuple(filters)}, {tuple(depths)} and {tuple(decoder_depths)}"
        )
    x = pad_to_multiple(inputs, 2 ** len(filters), name="pad")
    indices = []
    for level, (width, depth) in enumerate(zip(filters, depths, strict=True)):
        x = conv_stack(x, [width] * depth, unit=conv_relu_bn, name=f"enc{level}")
        x, index = max_pool(x, unpooling, name=f"enc{level}_pool")
        indices.append(index)
    for level in reversed(range(len(filters))):
        x = _unpool(x, indices[level], name=f"dec{level}")
        widths = [filters[level]] * (decoder_depths[level] - 1) + [filters[max(level - 1, 0)]]
        x = conv_stack(x, widths, unit=conv_relu_bn, name=f"dec{level}")
    return head(x, num_classes, like=inputs)


def _unpool(x: KerasTensor, indices: KerasTensor | None, *, name: str) -> KerasTensor:
    if indices is None:
        return layers.UpSampling2D(2, name=f"{name}_up")(x)
    return MaxUnpool(name=f"{name}_unpool")([x, indices])
