"""Pyramid Attention Network for Semantic Segmentation.

Li, Xiong, An, Wang, 2018, arXiv 1805.10180.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import conv_bn, conv_bn_relu
from kseg.layers.head import head
from kseg.layers.pooling import global_average_pool
from kseg.layers.resample import pad_to_multiple, resize_like, upsample
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="pan",
    title="PAN",
    paper="Pyramid Attention Network for Semantic Segmentation",
    year=2018,
    arxiv="1805.10180",
    parameters=24_340_047,
    macs=6_476_689_609,
    stride=32,
    family="pyramid",
    default_encoder="resnet50",
    departures=(
        "one attention map for all channels and a sigmoid at the end of the global gate, as in "
        "segmentation_models_pytorch",
        "the 7x7 stem of the encoder instead of three 3x3 convolutions",
    ),
)

_KERNELS = (7, 5, 3)
_STRIDES = (4, 8, 16, 32)


@register_model(_SPEC)
def pan(
    inputs: KerasTensor,
    num_classes: int,
    *,
    encoder: Encoder,
    output_stride: int = 16,
    filters: int = 32,
) -> KerasTensor:
    """Build the PAN graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone; its stages of strides 4 to 32 are used.
        output_stride: Stride of the last stage, 16 (with dilation) or 32.
        filters: Channels of the decoder.

    Raises:
        ValueError: Another output stride, or no `filters`.
    """
    check_at_least("pan", filters=(filters, 1))
    check_choice("pan", "output_stride", output_stride, (16, 32))
    x = pad_to_multiple(inputs, 32, name="pad")
    stages = encoder(x, output_stride=output_stride).stages
    *low, high = (stages[stride] for stride in _STRIDES)
    x = _pyramid_attention(high, filters, name="fpa")
    stride = output_stride
    for level, skip in reversed(list(enumerate(low))):
        x = _attention_upsample(x, skip, stride // _STRIDES[level], name=f"gau{level}")
        stride = _STRIDES[level]
    return head(x, num_classes, kernel_size=3, like=inputs, factor=stride)


def _pyramid_attention(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Weight each place by what three windows around it show; add what the whole image shows.

    Sizes that are odd on the way down are rounded up, so that any size fits.
    """
    y, maps = x, []
    for kernel in _KERNELS:
        y = layers.MaxPooling2D(2, padding="same", name=f"{name}_pool{kernel}")(y)
        y = conv_bn_relu(y, 1, kernel, use_bias=False, name=f"{name}_down{kernel}")
        maps.append(conv_bn_relu(y, 1, kernel, use_bias=False, name=f"{name}_side{kernel}"))
    attention = maps.pop()
    for kernel, finer in zip(_KERNELS[1::-1], reversed(maps), strict=True):
        # A layer also where the sizes agree: the order of weights must not depend on the size.
        attention = resize_like(attention, finer, name=f"{name}_up{kernel}")
        attention = layers.Add(name=f"{name}_add{kernel}")([attention, finer])
    attention = resize_like(attention, x, name=f"{name}_up")
    local = conv_bn_relu(x, filters, 1, use_bias=False, name=f"{name}_local")
    local = layers.Multiply(name=f"{name}_scale")([local, attention])
    whole = global_average_pool(x, name=f"{name}_pool")
    whole = conv_bn_relu(whole, filters, 1, use_bias=False, name=f"{name}_global")
    return layers.Add(name=f"{name}_add")([local, whole])


def _attention_upsample(
    x: KerasTensor, skip: KerasTensor, factor: int, *, name: str
) -> KerasTensor:
    """Enlarge `x` by `factor` and add the finer features, their channels weighted by `x`."""
    filters = x.shape[-1]
    gate = global_average_pool(x, name=f"{name}_pool")
    gate = conv_bn(gate, filters, 1, use_bias=False, name=f"{name}_gate")
    gate = layers.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
    skip = conv_bn_relu(skip, filters, use_bias=False, name=f"{name}_skip")
    skip = layers.Multiply(name=f"{name}_scale")([skip, gate])
    x = upsample(x, factor, name=f"{name}_up")
    return layers.Add(name=f"{name}_add")([x, skip])
