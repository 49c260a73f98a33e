"""U^2-Net: Going Deeper with Nested U-Structure for Salient Object Detection.

Qin, Zhang, Huang, Dehghan, Zaiane, Jagersand, 2020, arXiv 2005.09007.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn_relu
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="u2net",
    title="U^2-Net",
    paper="U^2-Net: Going Deeper with Nested U-Structure for Salient Object Detection",
    year=2020,
    arxiv="2005.09007",
    parameters=44_052_518,
    macs=28_756_718_592,
    stride=32,
    family="nested_unet",
    aliases={"u2netp": {"small": True}, "u2net_small": {"small": True}},
    departures=(
        "the fused map alone is the output; `deep_supervision=True` adds the six side outputs",
    ),
)

_HEIGHTS = (7, 6, 5, 4, 4, 4)
# Channels inside and after the U-block of each stage, in parts of `filters`.
_ENCODER = ((1 / 2, 1), (1 / 2, 2), (1, 4), (2, 8), (4, 8), (4, 8))
_DECODER = ((1 / 4, 1), (1 / 2, 1), (1, 2), (2, 4), (4, 8))
_SMALL = ((1 / 4, 1),) * 6


@register_model(_SPEC)
def u2net(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    small: bool = False,
    heights: tuple[int, ...] = _HEIGHTS,
    deep_supervision: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the U^2-Net graph: a U-Net, each stage of which is a small U-Net.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Channels after the first stage, at least 4.
        small: Keep them in all stages, as the authors' U^2-Net-small (4.7 MB) does.
        heights: Levels of the small U-Net of each stage, at most six stages. The last two stages
            keep their size and dilate. The stride is 32 by default.
        deep_supervision: Add the side output of each stage, "aux1" of the finest one.
    """
    _check(filters, heights)
    encoder, decoder = _widths(filters, small)
    blocks = [
        partial(_u_block if stage < len(heights) - 2 else _dilated_u_block, height=height)
        for stage, height in enumerate(heights)
    ]
    # All but the last two stages pool `height - 2` times more inside.
    pools = [stage + height - 2 for stage, height in enumerate(heights[:-2])]
    x = pad_to_multiple(inputs, 2 ** max(*pools, len(heights) - 1), name="pad")
    features = []
    for stage, block in enumerate(blocks):
        if stage:
            x = layers.MaxPooling2D(2, name=f"enc{stage}_pool")(x)
        x = block(x, *encoder[stage], name=f"enc{stage}")
        features.append(x)
    for stage in reversed(range(len(blocks) - 1)):
        up = upsample(features[stage + 1], 2, name=f"dec{stage}_up")
        x = layers.Concatenate(name=f"dec{stage}_concat")([up, features[stage]])
        features[stage] = blocks[stage](x, *decoder[stage], name=f"dec{stage}")
    return _fuse(features, num_classes, deep_supervision, like=inputs)


def _check(filters: int, heights: tuple[int, ...]) -> None:
    check_at_least("u2net", filters=(filters, 4))
    if not 3 <= len(heights) <= len(_HEIGHTS) or min(heights) < 2:
        raise ValueError(
            f"u2net needs heights to be 3 to {len(_HEIGHTS)} numbers >= 2, got {heights}"
        )


def _widths(filters: int, small: bool) -> list[list[tuple[int, int]]]:
    """Return the channels inside and after each U-block of the encoder, then of the decoder."""
    tables = (_SMALL, _SMALL) if small else (_ENCODER, _DECODER)
    return [[(int(filters * a), int(filters * b)) for a, b in table] for table in tables]


def _fuse(
    features: list[KerasTensor], num_classes: int, deep_supervision: bool, *, like: KerasTensor
) -> KerasTensor | dict[str, KerasTensor]:
    """Score each stage by itself, then all scores together."""
    sides = {
        f"aux{stage + 1}": head(
            x, num_classes, 3, like=like, factor=2**stage, name=f"aux{stage + 1}"
        )
        for stage, x in enumerate(features)
    }
    scores = layers.Concatenate(dtype="float32", name="head_concat")(list(sides.values()))
    logits = head(scores, num_classes, like=like)
    return {"logits": logits, **sides} if deep_supervision else logits


def _u_block(x: KerasTensor, middle: int, outer: int, *, height: int, name: str) -> KerasTensor:
    """Add a U-Net of `height` convolutions down, the last of them dilated, to a convolution."""
    x = start = conv_bn_relu(x, outer, name=f"{name}_in")
    skips = []
    for level in range(height - 1):
        if level:
            x = layers.MaxPooling2D(2, name=f"{name}_down{level}_pool")(x)
        x = conv_bn_relu(x, middle, name=f"{name}_down{level}")
        skips.append(x)
    x = conv_bn_relu(x, middle, dilation_rate=2, name=f"{name}_bottom")
    for level in reversed(range(height - 1)):
        if level < height - 2:
            x = upsample(x, 2, name=f"{name}_up{level}_up")
        x = layers.Concatenate(name=f"{name}_up{level}_concat")([x, skips[level]])
        x = conv_bn_relu(x, middle if level else outer, name=f"{name}_up{level}")
    return layers.Add(name=f"{name}_add")([x, start])


def _dilated_u_block(
    x: KerasTensor, middle: int, outer: int, *, height: int, name: str
) -> KerasTensor:
    """Do the same at one size: dilations 1, 2, 4, ... take the place of the pooling."""
    x = start = conv_bn_relu(x, outer, name=f"{name}_in")
    skips = []
    for level in range(height):
        x = conv_bn_relu(x, middle, dilation_rate=2**level, name=f"{name}_down{level}")
        skips.append(x)
    for level in reversed(range(height - 1)):
        x = layers.Concatenate(name=f"{name}_up{level}_concat")([x, skips[level]])
        width = middle if level else outer
        x = conv_bn_relu(x, width, dilation_rate=2**level, name=f"{name}_up{level}")
    return layers.Add(name=f"{name}_add")([x, start])
