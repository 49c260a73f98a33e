"""U-Net: Convolutional Networks for Biomedical Image Segmentation.

Ronneberger, Fischer, Brox, 2015, arXiv 1505.04597.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import double_conv
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, up_conv
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
    departures=(
        "32 filters at full size instead of 64 (`filters=64` is the paper's width): a quarter of "
        "the cost, enough for few images",
        "same instead of valid convolutions, so that the output has the size of the input",
        "batch normalisation, which trains faster from scratch",
        "nearest upsampling and a 3x3 convolution instead of a 2x2 transposed one, which leaves "
        "checkerboards",
        "a 3x3 instead of a 1x1 convolution for the class scores",
    ),
)


@register_model(_SPEC)
def unet(
    inputs: KerasTensor, num_classes: int, *, filters: int = 32, levels: int = 5
) -> KerasTensor:
    """Build the U-Net graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level. The paper has 64.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
    """
    if filters < 1 or levels < 2:
        raise ValueError(
            f"unet needs filters >= 1 and levels >= 2, got filters={filters}, levels={levels}"
        )
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    skips = []
    for level in range(levels):
        if level:
            x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
        x = double_conv(x, filters * 2**level, name=f"enc{level}")
        skips.append(x)
    for level in reversed(range(levels - 1)):
        up = up_conv(x, filters * 2**level, name=f"dec{level}_up")
        x = layers.Concatenate(name=f"dec{level}_concat")([skips[level], up])
        x = double_conv(x, filters * 2**level, name=f"dec{level}")
    return head(x, num_classes, kernel_size=3, like=inputs)
