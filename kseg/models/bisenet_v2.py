"""BiSeNet V2: Bilateral Network with Guided Aggregation for Real-time Semantic Segmentation.

Yu, Gao, Wang, Yu, Shen, Sang, 2020, arXiv 2004.02147.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm, conv, conv_bn, conv_bn_relu, depthwise, relu
from kseg.layers.head import head
from kseg.layers.pooling import average_pool, global_average_pool
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="bisenet_v2",
    title="BiSeNet V2",
    paper="BiSeNet V2: Bilateral Network with Guided Aggregation for Real-time Semantic "
    "Segmentation",
    year=2020,
    arxiv="2004.02147",
    parameters=3_358_530,
    macs=2_340_980_800,
    stride=32,
    family="real_time",
    departures=(
        "batch normalisation and ReLU also where the figures end with a bare convolution (gather-"
        "and-expansion, context embedding, aggregation), as public implementations do",
        "24.6 G multiply-adds at 512x1024 and 19 classes, like these; the paper states 21.15",
    ),
)

_STRIDE_OF_DETAIL = 8
_BLOCKS = (2, 2, 4)


@register_model(_SPEC)
def bisenet_v2(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    expansion: int = 6,
    head_filters: int = 1024,
    dropout: float = 0.1,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the BiSeNet V2 graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the detail branch, a multiple of 8; its last stage is twice as wide. The
            semantic branch starts with a quarter of it.
        expansion: How often wider the depthwise convolutions of the semantic branch are.
        head_filters: Width of the head, at least 8; the auxiliary heads have an eighth of it.
        dropout: Share of the head's features that training drops, 0..1.
        aux_heads: Also return "aux1".."aux4", scores from the four stages of the semantic branch
            (the paper's booster), for training.

    Raises:
        ValueError: A width that does not fit.
    """
    if filters < 8 or filters % 8 or expansion < 1 or head_filters < 8:
        raise ValueError(
            "bisenet_v2 needs filters that are a multiple of 8, expansion >= 1 and head_filters "
            f">= 8, got filters={filters}, expansion={expansion}, head_filters={head_filters}"
        )
    x = pad_to_multiple(inputs, 32, name="pad")
    detail = _detail_branch(x, filters)
    stages = _semantic_branch(x, filters // 4, expansion)
    context = _context_embedding(stages[-1], name="context")
    x = _aggregate(detail, context, name="fuse")
    options = {"num_classes": num_classes, "dropout": dropout, "like": inputs}
    logits = _head(x, head_filters, factor=_STRIDE_OF_DETAIL, name="head", **options)
    if not aux_heads:
        return logits
    outputs = {"logits": logits}
    for index, stage in enumerate(stages, start=1):
        key, factor = f"aux{index}", 2 ** (index + 1)
        outputs[key] = _head(stage, head_filters // 8, factor=factor, name=key, **options)
    return outputs


def _detail_branch(x: KerasTensor, filters: int) -> KerasTensor:
    """Keep details with few wide layers: `(N, H/8, W/8, 2 * filters)`."""
    for stage, (width, units) in enumerate([(filters, 2), (filters, 3), (2 * filters, 3)], start=1):
        for unit in range(units):
            strides = 1 if unit else 2
            name = f"detail{stage}_{unit}"
            x = conv_bn_relu(x, width, strides=strides, use_bias=False, name=name)
    return x


def _semantic_branch(x: KerasTensor, filters: int, expansion: int) -> list[KerasTensor]:
    """Return the maps at strides 4, 8, 16 and 32, each twice as wide as the one before."""
    stages = [_stem(x, filters, name="stem")]
    for index, blocks in enumerate(_BLOCKS, start=1):
        x = stages[-1]
        for block in range(blocks):
            name = f"semantic{index}_{block}"
            strides = 1 if block else 2
            x = _gather_expand(x, filters * 2**index, expansion, strides=strides, name=name)
        stages.append(x)
    return stages


def _stem(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Divide the size by 4, the second time by a convolution and a pooling side by side."""
    x = conv_bn_relu(x, filters, strides=2, use_bias=False, name=f"{name}_in")
    left = conv_bn_relu(x, filters // 2, 1, use_bias=False, name=f"{name}_reduce")
    left = conv_bn_relu(left, filters, strides=2, use_bias=False, name=f"{name}_down")
    right = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    x = layers.Concatenate(name=f"{name}_concat")([left, right])
    return conv_bn_relu(x, filters, use_bias=False, name=f"{name}_out")


def _gather_expand(
    x: KerasTensor, filters: int, expansion: int, *, strides: int, name: str
) -> KerasTensor:
    """Gather with a 3x3 convolution, expand depthwise, project, add; a stride also halves."""
    y = conv_bn_relu(x, x.shape[-1], use_bias=False, name=f"{name}_gather")
    y = _depthwise_bn(y, strides=strides, depth_multiplier=expansion, name=f"{name}_expand")
    if strides != 1:
        y = _depthwise_bn(y, name=f"{name}_second")
        x = _depthwise_bn(x, strides=strides, name=f"{name}_shortcut")
        x = conv_bn(x, filters, 1, use_bias=False, name=f"{name}_shortcut")
    y = relu(y, name=f"{name}_expand")
    y = conv_bn(y, filters, 1, use_bias=False, name=f"{name}_project")
    return relu(layers.Add(name=f"{name}_add")([x, y]), name=name)


def _context_embedding(x: KerasTensor, *, name: str) -> KerasTensor:
    """Add what the whole image contains to each place."""
    y = batch_norm(global_average_pool(x, name=f"{name}_pool"), name=f"{name}_pool_bn")
    y = conv_bn_relu(y, x.shape[-1], 1, use_bias=False, name=f"{name}_embed")
    y = layers.Add(name=f"{name}_add")([x, y])
    return conv_bn_relu(y, x.shape[-1], use_bias=False, name=f"{name}_out")


def _aggregate(detail: KerasTensor, context: KerasTensor, *, name: str) -> KerasTensor:
    """Let each branch weight the other one, at its own size, and add both at the finer one."""
    filters = detail.shape[-1]
    fine = _separable(detail, name=f"{name}_fine")
    fine_gate = conv_bn(context, filters, use_bias=False, name=f"{name}_gate")
    fine_gate = upsample(fine_gate, 4, name=f"{name}_gate_up")
    coarse = conv_bn(detail, filters, strides=2, use_bias=False, name=f"{name}_down")
    coarse = average_pool(coarse, 3, 2, name=f"{name}_down_pool")
    coarse_gate = _separable(context, name=f"{name}_coarse")
    fine = _gated(fine, fine_gate, name=f"{name}_fine")
    coarse = _gated(coarse, coarse_gate, name=f"{name}_coarse")
    coarse = upsample(coarse, 4, name=f"{name}_coarse_up")
    x = layers.Add(name=f"{name}_add")([fine, coarse])
    return conv_bn_relu(x, filters, use_bias=False, name=f"{name}_out")


def _gated(x: KerasTensor, gate: KerasTensor, *, name: str) -> KerasTensor:
    gate = layers.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
    return layers.Multiply(name=f"{name}_scale")([x, gate])


def _separable(x: KerasTensor, *, name: str) -> KerasTensor:
    return conv(_depthwise_bn(x, name=name), x.shape[-1], 1, use_bias=False, name=name)


def _depthwise_bn(x: KerasTensor, *, name: str, **options) -> KerasTensor:
    return batch_norm(depthwise(x, name=name, use_bias=False, **options), name=f"{name}_dw_bn")


def _head(
    x: KerasTensor,
    filters: int,
    *,
    num_classes: int,
    dropout: float,
    like: KerasTensor,
    factor: int,
    name: str,
) -> KerasTensor:
    x = conv_bn_relu(x, filters, use_bias=False, name=f"{name}_mix")
    x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return head(x, num_classes, like=like, factor=factor, name=name)
