"""Rethinking Atrous Convolution for Semantic Image Segmentation.

Chen, Papandreou, Schroff, Adam, 2017, arXiv 1706.05587.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor

from kseg.encoders import Encoder
from kseg.layers.aspp import EPSILON, aspp
from kseg.layers.conv import conv_bn_relu
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="deeplab_v3",
    title="DeepLabV3",
    paper="Rethinking Atrous Convolution for Semantic Image Segmentation",
    year=2017,
    arxiv="1706.05587",
    parameters=39_717_250,
    macs=31_229_665_280,
    stride=32,
    family="deeplab",
    default_encoder="resnet50",
    departures=(
        "one 3x3 convolution between the pyramid and the class scores, as later builds have it",
        "no multi-grid rates in the last stage of the encoder",
    ),
)


@register_model(_SPEC)
def deeplab_v3(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    output_stride: int = 8,
    filters: int = 256,
    dropout: float = 0.5,
    aux_heads: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the DeepLabV3 graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: The backbone.
        output_stride: 8 (dilation rates 12, 24, 36) or 16 (6, 12, 18; cheaper).
        filters: Channels of the pyramid and of the convolution after it.
        dropout: Dropout after the pyramid, 0..1.
        aux_heads: Also return "aux1", scores from the stage before the last.

    Raises:
        ValueError: Another output stride.
    """
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride must be 8 or 16, got {output_stride!r}")
    rates = tuple(rate * 16 // output_stride for rate in (6, 12, 18))
    unit = partial(conv_bn_relu, use_bias=False, epsilon=EPSILON)
    pyramid = encoder(pad_to_multiple(inputs, 32, name="pad"), output_stride=output_stride)
    x = aspp(pyramid.deepest, filters, rates, unit=unit, dropout=dropout)
    x = unit(x, filters, name="decoder")
    logits = head(x, num_classes, like=inputs, factor=output_stride)
    if not aux_heads:
        return logits
    aux = unit(pyramid.stages[16], filters, name="aux1")
    factor = output_stride
    return {
        "logits": logits,
        "aux1": head(aux, num_classes, like=inputs, factor=factor, name="aux1_head"),
    }
