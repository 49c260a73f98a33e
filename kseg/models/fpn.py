"""Panoptic Feature Pyramid Networks: the branch for semantic segmentation.

Kirillov, Girshick, He, Dollár, 2019, arXiv 1901.02446.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import conv, conv_bn_relu
from kseg.layers.fpn import STRIDES, top_down
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="fpn",
    title="Semantic FPN",
    paper="Panoptic Feature Pyramid Networks",
    year=2019,
    arxiv="1901.02446",
    parameters=28_557_954,
    macs=8_187_117_568,
    stride=32,
    family="pyramid",
    default_encoder="resnet50",
    departures=(
        "the semantic branch alone, as its paper uses it for semantic segmentation",
        "batch instead of group normalisation in the head, like the rest of the network",
    ),
)


@register_model(_SPEC)
def fpn(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    filters: int = 256,
    dropout: float = 0.1,
) -> KerasTensor:
    """Build the Semantic FPN graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone; its features of strides 4 to 32 are used.
        filters: Channels of the feature pyramid; the head has half as many.
        dropout: Dropout before the class scores, 0..1.

    Raises:
        ValueError: Fewer than two `filters`.
    """
    check_at_least("fpn", filters=(filters, 2))
    stages = encoder(pad_to_multiple(inputs, 32, name="pad")).stages
    laterals = [
        conv(stages[stride], filters, 1, name=f"fpn_lateral{level}")
        for level, stride in enumerate(STRIDES)
    ]
    maps = []
    for level, x in enumerate(top_down(laterals, name="fpn")):
        x = conv(x, filters, name=f"fpn_out{level}")
        maps.append(_to_quarter(x, level, filters // 2, name=f"dec{level}"))
    x = layers.Add(name="head_add")(maps)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    return head(x, num_classes, like=inputs, factor=4)


def _to_quarter(x: KerasTensor, doublings: int, filters: int, *, name: str) -> KerasTensor:
    """Enlarge step by step, each after a convolution of its own; at least one convolution."""
    for step in range(max(1, doublings)):
        x = conv_bn_relu(x, filters, use_bias=False, name=f"{name}_{step}")
        if doublings:
            x = upsample(x, 2, name=f"{name}_{step}_up")
    return x
