"""Unified Perceptual Parsing for Scene Understanding.

Xiao, Liu, Zhou, Jiang, Sun, 2018, arXiv 1807.10221.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import conv_bn_relu
from kseg.layers.fpn import STRIDES, top_down
from kseg.layers.head import head
from kseg.layers.pyramid import pyramid_pooling
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="upernet",
    title="UPerNet",
    paper="Unified Perceptual Parsing for Scene Understanding",
    year=2018,
    arxiv="1807.10221",
    parameters=59_253_858,
    macs=44_689_083_136,
    stride=32,
    family="pyramid",
    default_encoder="convnexttiny",
    departures=(
        "the part that labels objects only; the paper also names scenes, parts, materials and "
        "textures",
        "ConvNeXt (arXiv 2201.03545) instead of a ResNet, the usual encoder of this head today; "
        '`encoder="resnet50"` is the paper\'s',
    ),
)

_unit = partial(conv_bn_relu, use_bias=False)


@register_model(_SPEC)
def upernet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    filters: int = 512,
    dropout: float = 0.1,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the UPerNet graph: pyramid pooling on top of a feature pyramid network.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone; its features of strides 4 to 32 are used.
        filters: Channels of the feature pyramid.
        dropout: Dropout before the class scores, 0..1.
        aux_heads: Return a dict with "logits" and "aux1", scores of the features of stride 16.

    Raises:
        ValueError: Fewer than two `filters`.
    """
    check_at_least("upernet", filters=(filters, 2))
    stages = encoder(pad_to_multiple(inputs, 32, name="pad")).stages
    x = _unit(_fuse([stages[stride] for stride in STRIDES], filters), filters, name="fuse")
    x = layers.Dropout(dropout, name="head_dropout")(x)
    logits = head(x, num_classes, like=inputs, factor=4)
    if not aux_heads:
        return logits
    x = _unit(stages[16], filters // 2, name="aux1_in")
    x = layers.Dropout(dropout, name="aux1_dropout")(x)
    return {"logits": logits, "aux1": head(x, num_classes, like=inputs, factor=16, name="aux1")}


def _fuse(features: list[KerasTensor], filters: int) -> KerasTensor:
    """Return all levels side by side at the size of the finest."""
    *finer, coarsest = features
    laterals = [_unit(x, filters, 1, name=f"fpn_lateral{i}") for i, x in enumerate(finer)]
    coarsest = pyramid_pooling(coarsest, filters, use_bias=False, name="psp")
    coarsest = _unit(coarsest, filters, name="psp_out")
    *finer, coarsest = top_down([*laterals, coarsest], interpolation="bilinear", name="fpn")
    levels = [_unit(x, filters, name=f"fpn_out{i}") for i, x in enumerate(finer)]
    levels.append(coarsest)
    enlarged = [upsample(x, 2**i, name=f"fuse_up{i}") for i, x in enumerate(levels)]
    return layers.Concatenate(name="fuse_concat")(enlarged)
