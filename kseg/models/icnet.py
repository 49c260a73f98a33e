"""ICNet for Real-Time Semantic Segmentation on High-Resolution Images.

Zhao, Qi, Shen, Shi, Jia, 2017, arXiv 1704.08545.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn, conv_relu_bn, relu
from kseg.layers.head import head
from kseg.layers.pyramid import pyramid_branches
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.layers.residual import bottleneck_block, residual_stage
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="icnet",
    title="ICNet",
    paper="ICNet for Real-Time Semantic Segmentation on High-Resolution Images",
    year=2017,
    arxiv="1704.08545",
    parameters=6_740_610,
    macs=687_712_256,
    stride=32,
    family="real_time",
    founding_parameters=6_740_610,
    departures=(
        "built at half the width, which the paper reaches by pruning; `filters=64` is the full one",
        "ReLU before batch normalisation, and biases beside it, as in the founding project",
    ),
)

_stage = partial(
    residual_stage, bottleneck_block, stride_first=True, relu_first=True, use_bias=True
)


@register_model(_SPEC)
def icnet(
    inputs: KerasTensor, num_classes: int, *, filters: int = 32, aux_heads: bool = False
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the ICNet graph: a deep branch for 1/4 of the image, shallow ones for 1/2 and all.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first convolutions; all others are multiples of it.
        aux_heads: Return a dict with "logits" and the scores before each fusion, "aux1" from
            1/16 and "aux2" from 1/8 of the size.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("icnet", filters=(filters, 1))
    x = pad_to_multiple(inputs, 32, name="pad")
    half = _half_branch(x, filters)
    low = upsample(_quarter_branch(half, filters), 2, name="fuse1_up")
    middle = _fuse(low, half, filters * 4, name="fuse1")
    middle = upsample(middle, 2, name="fuse2_up")
    high = _fuse(middle, _full_branch(x, filters), filters * 4, name="fuse2")
    high = upsample(high, 2, name="fuse3_up")
    logits = head(high, num_classes, like=inputs, factor=4)
    if not aux_heads:
        return logits
    return {
        "logits": logits,
        "aux1": head(low, num_classes, like=inputs, factor=16, name="aux1"),
        "aux2": head(middle, num_classes, like=inputs, factor=8, name="aux2"),
    }


def _full_branch(x: KerasTensor, filters: int) -> KerasTensor:
    """Keep details of the whole image at 1/8 of its size."""
    for index, width in enumerate((1, 1, 2)):
        x = conv_relu_bn(x, filters * width, strides=2, name=f"full_{index}")
    return x


def _half_branch(x: KerasTensor, filters: int) -> KerasTensor:
    """Describe the image, read at half size, at 1/16 of its size."""
    # The mean of 2x2 pixels is what a bilinear resize by one half gives.
    x = layers.AveragePooling2D(2, name="half_shrink")(x)
    for index, (width, strides) in enumerate(((1, 2), (1, 1), (2, 1))):
        x = conv_relu_bn(x, filters * width, strides=strides, name=f"half_{index}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="half_pool")(x)
    x = _stage(x, filters, 3, name="half_res1")
    return _stage(x, filters * 2, 1, strides=2, name="half_res2")


def _quarter_branch(x: KerasTensor, filters: int) -> KerasTensor:
    """Understand the scene at 1/32 of its size."""
    x = layers.AveragePooling2D(2, name="quarter_shrink")(x)
    x = _stage(x, filters * 2, 3, name="quarter_res1")
    x = _stage(x, filters * 4, 6, dilation_rate=2, name="quarter_res2")
    x = _stage(x, filters * 8, 3, dilation_rate=4, name="quarter_res3")
    x = layers.Add(name="psp_add")([x, *pyramid_branches(x, name="psp")])
    return conv_relu_bn(x, filters * 8, 1, name="psp_out")


def _fuse(low: KerasTensor, high: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Add coarse to fine features: the cascade feature fusion unit."""
    low = conv_bn(low, filters, dilation_rate=2, name=f"{name}_low")
    high = conv_bn(high, filters, 1, name=f"{name}_high")
    return relu(layers.Add(name=f"{name}_add")([low, high]), name=name)
