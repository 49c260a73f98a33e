"""SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers.

Xie, Wang, Yu, Anandkumar, Alvarez, Luo, 2021, arXiv 2105.15203.
"""

from __future__ import annotations

from typing import NamedTuple

from keras import KerasTensor, layers

from kseg.layers.conv import conv, conv_bn_relu
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.layers.transformer import (
    add_branch,
    drop_path_rates,
    embed_patches,
    layer_norm,
    mlp,
    self_attention,
)
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model


class _Size(NamedTuple):
    """Channels per head, blocks of the four stages, channels of the decoder."""

    head_width: int
    depths: tuple[int, int, int, int]
    decoder: int


_SIZES = {
    "b0": _Size(32, (2, 2, 2, 2), 256),
    "b1": _Size(64, (2, 2, 2, 2), 256),
    "b2": _Size(64, (3, 4, 6, 3), 768),
    "b3": _Size(64, (3, 4, 18, 3), 768),
    "b4": _Size(64, (3, 8, 27, 3), 768),
    "b5": _Size(64, (3, 6, 40, 3), 768),
}
_HEADS = (1, 2, 5, 8)
_REDUCTIONS = (8, 4, 2, 1)
_MLP_RATIO = 4
_STRIDE = 32

_SPEC = ModelSpec(
    name="segformer",
    title="SegFormer",
    paper="SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers",
    year=2021,
    arxiv="2105.15203",
    parameters=3_715_170,
    macs=1_325_675_008,
    stride=_STRIDE,
    family="transformer",
    departures=("the smallest size, B0, by default; `size` is one of b0 to b5",),
    aliases={f"segformer_{size}": {"size": size} for size in _SIZES},
)


@register_model(_SPEC)
def segformer(
    inputs: KerasTensor,
    num_classes: int,
    *,
    size: str = "b0",
    width: float = 1.0,
    depth: float = 1.0,
    drop_path: float = 0.1,
    dropout: float = 0.1,
) -> KerasTensor:
    """Build the SegFormer graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        size: "b0" to "b5".
        width: Factor of all numbers of channels.
        depth: Factor of the numbers of blocks; each stage keeps at least one.
        drop_path: Rate of stochastic depth of the last block, 0..1; it grows from 0.
        dropout: Spatial dropout before the class scores, 0..1.
    """
    check_choice("segformer", "size", size, list(_SIZES))
    head_width, depths, decoder = _SIZES[size]
    head_width, decoder = int(head_width * width), int(decoder * width)
    check_at_least("segformer", width=(head_width, 1))
    depths = [max(1, round(blocks * depth)) for blocks in depths]
    x = pad_to_multiple(inputs, _STRIDE, name="pad")
    features = _encode(x, head_width, depths, drop_path)
    x = _decode(features, decoder)
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    return head(x, num_classes, like=inputs, factor=4)


def _encode(
    x: KerasTensor, head_width: int, depths: list[int], drop_path: float
) -> list[KerasTensor]:
    """Apply the Mix Transformer; returns the features at strides 4, 8, 16 and 32."""
    rates = iter(drop_path_rates(drop_path, sum(depths)))
    features = []
    for stage, blocks in enumerate(depths):
        heads, name = _HEADS[stage], f"enc{stage}"
        patch, strides = (3, 2) if stage else (7, 4)
        x = embed_patches(x, heads * head_width, patch, strides=strides, name=f"{name}_embed")
        x = layer_norm(x, name=f"{name}_embed_norm")
        for index in range(blocks):
            options = {"reduction": _REDUCTIONS[stage], "drop_path": next(rates)}
            x = _block(x, heads, name=f"{name}_{index}", **options)
        x = layer_norm(x, name=f"{name}_norm")
        features.append(x)
    return features


def _block(
    x: KerasTensor, heads: int, *, reduction: int, drop_path: float, name: str
) -> KerasTensor:
    y = layer_norm(x, name=f"{name}_attn_norm")
    y = self_attention(y, heads, reduction=reduction, name=f"{name}_attn")
    x = add_branch(x, y, drop_path=drop_path, name=f"{name}_attn")
    y = layer_norm(x, name=f"{name}_mlp_norm")
    y = mlp(y, _MLP_RATIO, kernel_size=3, name=f"{name}_mlp")
    return add_branch(x, y, drop_path=drop_path, name=f"{name}_mlp")


def _decode(features: list[KerasTensor], filters: int) -> KerasTensor:
    """Bring all features to the same channels and to stride 4 and mix them there."""
    maps = []
    for stage, x in enumerate(features):
        x = conv(x, filters, 1, name=f"dec_stage{stage}")
        maps.append(upsample(x, 2**stage, name=f"dec_stage{stage}_up"))
    x = layers.Concatenate(name="dec_concat")(maps)
    return conv_bn_relu(x, filters, 1, use_bias=False, name="dec_fuse")
