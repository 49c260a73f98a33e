"""TransUNet: Transformers Make Strong Encoders for Medical Image Segmentation.

Chen, Lu, Yu, Luo, Adeli, Wang, Lu, Yuille, Zhou, 2021, arXiv 2102.04306.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv, conv_bn_relu, double_conv, relu
from kseg.layers.decoder import expand
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.layers.standardized import StandardizedConv2D, group_norm
from kseg.layers.transformer import add_branch, layer_norm, mlp, self_attention
from kseg.layers.transformer_layers import PositionEmbedding
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_STRIDE = 16
_EXPANSION = 4
_MLP_RATIO = 4
_GROUP_NORM_EPSILON = 1e-6

_SPEC = ModelSpec(
    name="transunet",
    title="TransUNet",
    paper="TransUNet: Transformers Make Strong Encoders for Medical Image Segmentation",
    year=2021,
    arxiv="2102.04306",
    parameters=105_278_946,
    macs=29_202_432_000,
    stride=_STRIDE,
    family="transformer",
    departures=(
        "the position embedding, learned on a 14x14 grid (224x224 pixels), is resized to other "
        "maps at run time, so that any image size works",
        "bilinear upsampling with half-pixel centres instead of aligned corners",
    ),
)


@register_model(_SPEC)
def transunet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    blocks: tuple[int, ...] = (3, 4, 9),
    hidden: int = 768,
    depth: int = 12,
    heads: int = 12,
    grid: int = 14,
    dropout: float = 0.1,
) -> KerasTensor:
    """Build the TransUNet graph: a ResNet, a transformer on its last map, a cascaded upsampler.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the ResNet's stem, a multiple of 4; all convolutions scale with it.
        blocks: Bottleneck blocks of the three stages of the ResNet.
        hidden: Channels of the transformer, a multiple of `heads`.
        depth: Transformer layers.
        heads: Attention heads.
        grid: Rows and columns of the learned position embedding.
        dropout: Dropout in the transformer, 0..1.
    """
    _check(filters, blocks, hidden, depth, heads, grid)
    x = pad_to_multiple(inputs, _STRIDE, name="pad")
    x, skips = _resnet(x, filters, blocks)
    x = _transformer(x, hidden, depth, heads, grid, dropout)
    x = conv_bn_relu(x, filters * 8, use_bias=False, name="neck")
    widths = (filters // 4, filters, filters * 2, filters * 4)
    x = expand(x, [None, *skips], widths, up=_up, block=partial(double_conv, use_bias=False))
    return head(x, num_classes, kernel_size=3, like=inputs)


def _check(
    filters: int, blocks: tuple[int, ...], hidden: int, depth: int, heads: int, grid: int
) -> None:
    check_at_least("transunet", filters=(filters, 4), depth=(depth, 1), grid=(grid, 1))
    if filters % 4:
        raise ValueError(f"transunet needs filters that are a multiple of 4, got {filters}")
    if len(blocks) != 3 or min(blocks) < 1:
        raise ValueError(f"transunet needs blocks >= 1 for three stages, got blocks={blocks}")
    if heads < 1 or hidden < 1 or hidden % heads:
        raise ValueError(
            f"transunet needs hidden to be a multiple of heads, got hidden={hidden}, heads={heads}"
        )


def _resnet(
    x: KerasTensor, filters: int, blocks: tuple[int, ...]
) -> tuple[KerasTensor, list[KerasTensor]]:
    """Apply the three-stage ResNet; returns its map at stride 16 and those at 2, 4 and 8."""
    x = _conv_gn(x, filters, 7, strides=2, name="stem")
    x = relu(x, name="stem")
    skips = [x]
    x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, count in enumerate(blocks):
        for index in range(count):
            strides = 2 if stage and not index else 1
            x = _bottleneck(x, filters * 2**stage, strides=strides, name=f"enc{stage}_{index}")
        skips.append(x)
    return x, skips[:-1]


def _bottleneck(x: KerasTensor, filters: int, *, strides: int, name: str) -> KerasTensor:
    y = relu(_conv_gn(x, filters, 1, name=f"{name}_a"), name=f"{name}_a")
    y = relu(_conv_gn(y, filters, 3, strides=strides, name=f"{name}_b"), name=f"{name}_b")
    y = _conv_gn(y, filters * _EXPANSION, 1, name=f"{name}_c")
    if strides != 1 or x.shape[-1] != y.shape[-1]:
        x = _conv_gn(x, y.shape[-1], 1, strides=strides, name=f"{name}_proj")
    return relu(layers.Add(name=f"{name}_add")([x, y]), name=f"{name}_out")


def _conv_gn(
    x: KerasTensor, filters: int, kernel_size: int, *, strides: int = 1, name: str
) -> KerasTensor:
    layer = StandardizedConv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return group_norm(layer(x), epsilon=_GROUP_NORM_EPSILON, name=f"{name}_gn")


def _up(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Double height and width bilinearly, whatever `filters` are wanted."""
    return upsample(x, 2, name=name)


def _transformer(
    x: KerasTensor, hidden: int, depth: int, heads: int, grid: int, dropout: float
) -> KerasTensor:
    x = conv(x, hidden, 1, name="vit_embed")
    x = PositionEmbedding(grid, name="vit_position")(x)
    x = layers.Dropout(dropout, name="vit_dropout")(x)
    for index in range(depth):
        name = f"vit_{index}"
        y = layer_norm(x, name=f"{name}_attn_norm")
        y = self_attention(y, heads, name=f"{name}_attn")
        x = add_branch(x, y, name=f"{name}_attn")
        y = layer_norm(x, name=f"{name}_mlp_norm")
        y = mlp(y, _MLP_RATIO, dropout=dropout, name=f"{name}_mlp")
        x = add_branch(x, y, name=f"{name}_mlp")
    return layer_norm(x, name="vit_norm")
