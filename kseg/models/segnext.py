"""SegNeXt: Rethinking Convolutional Attention Design for Semantic Segmentation.

Guo, Lu, Hou, Liu, Cheng, Hu, 2022, arXiv 2209.08575.
"""

from __future__ import annotations

from typing import NamedTuple

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm, conv, depthwise, relu
from kseg.layers.factorization import NonNegativeFactorization
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.layers.standardized import group_norm
from kseg.layers.transformer import (
    add_branch,
    drop_path_rates,
    embed_patches,
    gelu,
    layer_norm,
    mlp,
)
from kseg.layers.transformer_layers import LayerScale
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model


class _Size(NamedTuple):
    """Channels and blocks of the four stages, channels and bases of the decoder."""

    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    decoder: int
    rank: int


_SIZES = {
    "t": _Size((32, 64, 160, 256), (3, 3, 5, 2), 256, 16),
    "s": _Size((64, 128, 320, 512), (2, 2, 4, 2), 256, 16),
    "b": _Size((64, 128, 320, 512), (3, 3, 12, 3), 512, 64),
    "l": _Size((64, 128, 320, 512), (3, 5, 27, 3), 1024, 64),
}
_MLP_RATIOS = (8, 8, 4, 4)
_STRIPS = (7, 11, 21)
_STRIDE = 32

_SPEC = ModelSpec(
    name="segnext",
    title="SegNeXt",
    paper="SegNeXt: Rethinking Convolutional Attention Design for Semantic Segmentation",
    year=2022,
    arxiv="2209.08575",
    parameters=4_232_306,
    macs=1_196_921_728,
    stride=_STRIDE,
    family="transformer",
    departures=(
        "the smallest size, T, by default; `size` is one of t, s, b, l",
        "at inference the matrix factorisation starts from the same bases each time instead of "
        "random ones, so that a prediction can be repeated",
        "the gradient flows through the last step of the factorisation only, as in the paper of "
        "Hamburger (arXiv 2109.04553)",
    ),
    aliases={
        "segnext_t": {"size": "t"},
        "segnext_s": {"size": "s"},
        "segnext_b": {"size": "b"},
        "segnext_l": {"size": "l", "drop_path": 0.3},
    },
)


@register_model(_SPEC)
def segnext(
    inputs: KerasTensor,
    num_classes: int,
    *,
    size: str = "t",
    width: float = 1.0,
    depth: float = 1.0,
    drop_path: float = 0.1,
    dropout: float = 0.1,
) -> KerasTensor:
    """Build the SegNeXt graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        size: "t", "s", "b" or "l".
        width: Factor of all numbers of channels.
        depth: Factor of the numbers of blocks; each stage keeps at least one.
        drop_path: Rate of stochastic depth of the last block, 0..1; it grows from 0. The paper
            has 0.3 for size "l".
        dropout: Spatial dropout before the class scores, 0..1.
    """
    check_choice("segnext", "size", size, list(_SIZES))
    widths, depths, decoder, rank = _SIZES[size]
    widths = [int(filters * width) for filters in widths]
    check_at_least("segnext", width=(width, 2 / _SIZES[size].widths[0]))
    depths = [max(1, round(blocks * depth)) for blocks in depths]
    x = pad_to_multiple(inputs, _STRIDE, name="pad")
    features = _encode(x, widths, depths, drop_path)
    x = _decode(features[1:], int(decoder * width), rank)
    x = layers.SpatialDropout2D(dropout, name="head_dropout")(x)
    return head(x, num_classes, like=inputs, factor=8)


def _encode(
    x: KerasTensor, widths: list[int], depths: list[int], drop_path: float
) -> list[KerasTensor]:
    """Apply the convolutional attention network; returns the features at strides 4 to 32."""
    rates = iter(drop_path_rates(drop_path, sum(depths)))
    features = []
    for stage, filters in enumerate(widths):
        name = f"enc{stage}"
        if stage == 0:
            x = gelu(_down(x, filters // 2, name=f"{name}_stem"), name=f"{name}_stem")
        x = _down(x, filters, name=f"{name}_down")
        for index in range(depths[stage]):
            options = {"ratio": _MLP_RATIOS[stage], "drop_path": next(rates)}
            x = _block(x, name=f"{name}_{index}", **options)
        x = layer_norm(x, name=f"{name}_norm")
        features.append(x)
    return features


def _down(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    x = embed_patches(x, filters, 3, strides=2, use_bias=False, name=name)
    return batch_norm(x, name=f"{name}_bn")


def _block(x: KerasTensor, *, ratio: int, drop_path: float, name: str) -> KerasTensor:
    y = _attend(batch_norm(x, name=f"{name}_attn_bn"), name=f"{name}_attn")
    y = LayerScale(name=f"{name}_attn_scale")(y)
    x = add_branch(x, y, drop_path=drop_path, name=f"{name}_attn")
    y = mlp(batch_norm(x, name=f"{name}_mlp_bn"), ratio, kernel_size=3, name=f"{name}_mlp")
    y = LayerScale(name=f"{name}_mlp_scale")(y)
    return add_branch(x, y, drop_path=drop_path, name=f"{name}_mlp")


def _attend(x: KerasTensor, *, name: str) -> KerasTensor:
    """Weight each value by what depthwise strips of several lengths see around it."""
    filters = x.shape[-1]
    y = gelu(conv(x, filters, 1, name=f"{name}_in"), name=f"{name}_in")
    near = depthwise(y, 5, name=f"{name}_near")
    scales = [near]
    for length in _STRIPS:
        row = depthwise(near, (1, length), name=f"{name}_row{length}")
        scales.append(depthwise(row, (length, 1), name=f"{name}_column{length}"))
    weights = layers.Add(name=f"{name}_scales")(scales)
    weights = conv(weights, filters, 1, name=f"{name}_weights")
    y = layers.Multiply(name=f"{name}_weighted")([y, weights])
    y = conv(y, filters, 1, name=f"{name}_out")
    return layers.Add(name=f"{name}_skip")([x, y])


def _decode(features: list[KerasTensor], filters: int, rank: int) -> KerasTensor:
    """Mix the features at stride 8 and add their global context (Hamburger)."""
    maps = [upsample(x, 2**i, name=f"dec_stage{i + 1}_up") for i, x in enumerate(features)]
    x = layers.Concatenate(name="dec_concat")(maps)
    x = relu(_conv_gn(x, filters, name="dec_squeeze"), name="dec_squeeze")
    y = relu(conv(x, filters, 1, name="dec_ham_in"), name="dec_ham_in")
    y = NonNegativeFactorization(rank, name="dec_ham_nmf")(y)
    y = _conv_gn(y, filters, name="dec_ham_out")
    x = relu(layers.Add(name="dec_ham_add")([x, y]), name="dec_ham")
    return relu(_conv_gn(x, filters, name="dec_align"), name="dec_align")


def _conv_gn(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    x = conv(x, filters, 1, use_bias=False, name=name)
    return group_norm(x, name=f"{name}_gn")
