"""Deep Dual-resolution Networks for Real-time and Accurate Segmentation of Road Scenes.

Hong, Pan, Sun, Jia, 2021, arXiv 2101.06085.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn, conv_bn_relu, relu
from kseg.layers.dual_resolution import (
    basic_chain,
    bn_head,
    context_pyramid,
    double_bottleneck,
    quarter_stem,
)
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="ddrnet_23_slim",
    title="DDRNet-23-slim",
    paper="Deep Dual-resolution Networks for Real-time and Accurate Semantic Segmentation of Road "
    "Scenes",
    year=2021,
    arxiv="2101.06085",
    parameters=5_714_658,
    macs=1_132_789_760,
    stride=64,
    family="real_time",
    aliases={"ddrnet_23": {"width": 64, "head_filters": 128}},
)

_STRIDE_OF_DETAIL = 8


@register_model(_SPEC)
def ddrnet_23_slim(
    inputs: KerasTensor,
    num_classes: int,
    *,
    width: int = 32,
    pyramid_filters: int = 128,
    head_filters: int = 64,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the DDRNet-23 graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        width: Channels of the stem, 32 for DDRNet-23-slim and 64 for DDRNet-23.
        pyramid_filters: Channels of each scale of the pooling pyramid.
        head_filters: Channels of the heads.
        aux_heads: Also return "aux1", scores from the fine branch after its first exchange with
            the coarse one, for training.

    Raises:
        ValueError: A width below 1.
    """
    check_at_least(
        "ddrnet_23_slim",
        width=(width, 1),
        pyramid_filters=(pyramid_filters, 1),
        head_filters=(head_filters, 1),
    )
    x = pad_to_multiple(inputs, 64, name="pad")
    x = quarter_stem(x, width, name="stem")
    x = relu(basic_chain(x, width, 2, name="stage1"), name="stage1_out")
    x = relu(basic_chain(x, 2 * width, 2, strides=2, name="stage2"), name="stage2_out")
    fine, coarse, first = x, x, None
    for stage in (3, 4):
        fine, coarse = _dual_stage(fine, coarse, stage)
        first = fine if first is None else first
        fine, coarse = relu(fine, name=f"fine{stage}_out"), relu(coarse, name=f"coarse{stage}_out")
    fine = double_bottleneck(fine, 2 * width, name="fine5")
    coarse = double_bottleneck(coarse, 8 * width, strides=2, name="coarse5")
    coarse = context_pyramid(coarse, pyramid_filters, 4 * width, name="context")
    coarse = upsample(coarse, 64 // _STRIDE_OF_DETAIL, name="context_up")
    x = layers.Add(name="fuse_add")([fine, coarse])
    options = {"num_classes": num_classes, "like": inputs, "factor": _STRIDE_OF_DETAIL}
    logits = bn_head(x, head_filters, name="head", **options)
    if not aux_heads:
        return logits
    return {"logits": logits, "aux1": bn_head(first, head_filters, name="aux1", **options)}


def _dual_stage(
    fine: KerasTensor, coarse: KerasTensor, stage: int
) -> tuple[KerasTensor, KerasTensor]:
    """Apply two blocks to each branch, halve the coarse one, add each to the other.

    Takes maps after and returns maps before the ReLU. The coarse one has stride `2 ** (stage + 1)`
    afterwards, the fine one stays at 8.
    """
    filters = 2 * coarse.shape[-1]
    fine = basic_chain(fine, fine.shape[-1], 2, name=f"fine{stage}")
    coarse = basic_chain(coarse, filters, 2, strides=2, name=f"coarse{stage}")
    halvings = stage - 2
    down = relu(fine, name=f"down{stage}")
    for index in reversed(range(halvings)):
        unit = conv_bn_relu if index else conv_bn
        width = filters // 2**index
        down = unit(down, width, strides=2, use_bias=False, name=f"down{stage}_{index}")
    up = relu(coarse, name=f"up{stage}")
    up = conv_bn(up, fine.shape[-1], 1, use_bias=False, name=f"up{stage}")
    up = upsample(up, 2**halvings, name=f"up{stage}_up")
    fine = layers.Add(name=f"fine{stage}_add")([fine, up])
    return fine, layers.Add(name=f"coarse{stage}_add")([coarse, down])
