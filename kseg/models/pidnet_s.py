"""PIDNet: A Real-time Semantic Segmentation Network Inspired by PID Controllers.

Xu, Xiong, Bhattacharyya, 2022, arXiv 2206.02066.
"""

from __future__ import annotations

from typing import NamedTuple

from keras import KerasTensor, layers

from kseg.layers.blend import Blend, ChannelDot
from kseg.layers.conv import bn_relu_conv, conv_bn, relu
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
    name="pidnet_s",
    title="PIDNet-S",
    paper="PIDNet: A Real-time Semantic Segmentation Network Inspired by PID Controllers",
    year=2022,
    arxiv="2206.02066",
    parameters=7_647_714,
    macs=1_472_741_376,
    stride=64,
    family="real_time",
    aliases={
        # The paper's figure and the authors' code; its table counts `depths=(2, 4)`.
        "pidnet_m": {"width": 64},
        "pidnet_l": {
            "width": 64,
            "depths": (3, 4),
            "pyramid_filters": 112,
            "head_filters": 256,
            "light": False,
        },
    },
)

_STRIDE_OF_DETAIL = 8


@register_model(_SPEC)
def pidnet_s(
    inputs: KerasTensor,
    num_classes: int,
    *,
    width: int = 32,
    depths: tuple[int, int] = (2, 3),
    pyramid_filters: int = 96,
    head_filters: int = 128,
    light: bool = True,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the PIDNet graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        width: Channels of the stem, 32 for PIDNet-S and 64 for PIDNet-M and -L.
        depths: Blocks of the stages at strides 4 and 8, and of those at 16 and 32.
        pyramid_filters: Channels of each scale of the pooling pyramid.
        head_filters: Channels of the heads for the classes.
        light: The parallel pyramid, the light fusion and the narrow boundary branch of PIDNet-S
            and -M instead of those of PIDNet-L.
        aux_heads: Also return "aux1", scores from the detail branch, and "boundary", one logit per
            pixel for an edge between classes `(N, H, W, 1)`, for training.

    Raises:
        ValueError: A width or depth that is too small.
    """
    if len(depths) != 2 or min(depths) < 1:
        raise ValueError(f"pidnet_s needs two depths >= 1, got depths={depths!r}")
    check_at_least(
        "pidnet_s",
        width=(width, 2),
        pyramid_filters=(pyramid_filters, 1),
        head_filters=(head_filters, 1),
    )
    x = pad_to_multiple(inputs, 64, name="pad")
    x = quarter_stem(x, width, name="stem")
    x = relu(basic_chain(x, width, depths[0], name="i1"), name="i1_out")
    x = relu(basic_chain(x, 2 * width, depths[0], strides=2, name="i2"), name="i2_out")
    maps = _three_branches(x, width, depths, light)
    detail, edge, x = maps[4]
    detail = double_bottleneck(relu(detail, name="pag4_out"), 2 * width, name="p5")
    edge = double_bottleneck(relu(edge, name="d4_out"), 2 * width, name="d5")
    for block in range(2):
        strides = 1 if block else 2
        x = double_bottleneck(x, 8 * width, strides=strides, name=f"i5_{block}")
    x = context_pyramid(x, pyramid_filters, 4 * width, parallel=light, name="context")
    x = upsample(x, 64 // _STRIDE_OF_DETAIL, name="context_up")
    x = (_light_fusion if light else _fusion)(detail, x, edge, name="bag")
    options = {"like": inputs, "factor": _STRIDE_OF_DETAIL}
    logits = bn_head(x, head_filters, num_classes, name="head", **options)
    if not aux_heads:
        return logits
    aux = bn_head(maps[3].detail, head_filters, num_classes, name="aux1", **options)
    boundary = bn_head(maps[4].edge, width, 1, name="boundary", **options)
    return {"logits": logits, "aux1": aux, "boundary": boundary}


class _Maps(NamedTuple):
    """The branches after a stage; detail and edge before the ReLU, context after it."""

    detail: KerasTensor
    edge: KerasTensor
    context: KerasTensor


def _three_branches(
    x: KerasTensor, width: int, depths: tuple[int, int], light: bool
) -> dict[int, _Maps]:
    """Return the maps after stage 3 and 4: detail and edge at stride 8, context at 16 and 32."""
    detail = edge = x
    maps = {}
    for stage in (3, 4):
        if maps:
            detail, edge = relu(detail, name="pag3_out"), relu(edge, name="d3_out")
        x = basic_chain(x, 2 ** (stage - 1) * width, depths[1], strides=2, name=f"i{stage}")
        x = relu(x, name=f"i{stage}_out")
        detail = basic_chain(detail, 2 * width, depths[0], name=f"p{stage}")
        detail = _pixel_attention(detail, x, 2 ** (stage - 2), name=f"pag{stage}")
        edge = _boundary_stage(edge, x, stage, width, light)
        maps[stage] = _Maps(detail, edge, x)
    return maps


def _pixel_attention(
    detail: KerasTensor, context: KerasTensor, factor: int, *, name: str
) -> KerasTensor:
    """Take over the context where it agrees with the detail branch (Pag).

    Args:
        detail: Fine map `(N, H, W, C)`.
        context: Coarse map of any number of channels, `factor` times smaller.
        factor: Whole factor between both.
        name: First part of the layers' names.
    """
    filters = detail.shape[-1]
    context = conv_bn(context, filters, 1, use_bias=False, name=f"{name}_context")
    query = conv_bn(context, filters // 2, 1, use_bias=False, name=f"{name}_query")
    query = upsample(query, factor, name=f"{name}_query_up")
    key = conv_bn(detail, filters // 2, 1, use_bias=False, name=f"{name}_key")
    gate = ChannelDot(name=f"{name}_dot")([key, query])
    gate = layers.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
    context = upsample(context, factor, name=f"{name}_context_up")
    return Blend(name=f"{name}_blend")([context, detail, gate])


def _boundary_stage(
    edge: KerasTensor, context: KerasTensor, stage: int, width: int, light: bool
) -> KerasTensor:
    """Apply one block to the boundary branch and add what the context knows."""
    name = f"d{stage}"
    if light and stage == 4:
        edge = double_bottleneck(edge, width, name=name)
    else:
        edge = basic_chain(edge, width if light else 2 * width, 1, name=name)
    difference = conv_bn(context, edge.shape[-1], use_bias=False, name=f"{name}_diff")
    difference = upsample(difference, 2 ** (stage - 2), name=f"{name}_diff_up")
    return layers.Add(name=f"{name}_join")([edge, difference])


def _light_fusion(
    detail: KerasTensor, context: KerasTensor, edge: KerasTensor, *, name: str
) -> KerasTensor:
    """Add the context inside of objects to the detail, the detail at edges to the context."""
    edge = layers.Activation("sigmoid", name=f"{name}_sigmoid")(edge)
    at_edge = layers.Multiply(name=f"{name}_edge")([edge, context])
    inside = layers.Subtract(name=f"{name}_inside")([context, at_edge])
    left = layers.Add(name=f"{name}_left_add")([detail, inside])
    sharp = layers.Multiply(name=f"{name}_sharp")([edge, detail])
    right = layers.Add(name=f"{name}_right_add")([context, sharp])
    filters = detail.shape[-1]
    left = conv_bn(left, filters, 1, use_bias=False, name=f"{name}_left")
    right = conv_bn(right, filters, 1, use_bias=False, name=f"{name}_right")
    return layers.Add(name=f"{name}_add")([left, right])


def _fusion(
    detail: KerasTensor, context: KerasTensor, edge: KerasTensor, *, name: str
) -> KerasTensor:
    """Take the detail at edges and the context elsewhere."""
    edge = layers.Activation("sigmoid", name=f"{name}_sigmoid")(edge)
    x = Blend(name=f"{name}_blend")([detail, context, edge])
    return bn_relu_conv(x, detail.shape[-1], use_bias=False, name=name)
