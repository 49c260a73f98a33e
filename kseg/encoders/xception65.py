"""The modified aligned Xception of DeepLabV3+ (Xception-65).

Chen, Zhu, Papandreou, Schroff, Adam: Encoder-Decoder with Atrous Separable Convolution for
Semantic Image Segmentation, 2018, arXiv 1802.02611, after Chollet's Xception, arXiv 1610.02357.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from kseg.encoders.registry import EncoderSpec, register_encoder
from kseg.layers.conv import batch_norm, conv_bn, conv_bn_relu, depthwise, separable_conv_bn_relu

_MIDDLE_BLOCKS = 16


def _build(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = conv_bn_relu(inputs, 32, strides=2, use_bias=False, name="stem1")
    x = conv_bn_relu(x, 64, use_bias=False, name="stem2")
    for index, filters in enumerate((128, 256, 728), start=1):
        x = _block(x, (filters,) * 3, strides=2, project=True, name=f"entry{index}")
    for index in range(1, _MIDDLE_BLOCKS + 1):
        x = _block(x, (728,) * 3, name=f"middle{index}")
    x = _block(x, (728, 1024, 1024), strides=2, project=True, name="exit1")
    for index, filters in enumerate((1536, 1536, 2048), start=1):
        x = separable_conv_bn_relu(x, filters, name=f"exit2_{index}")
    model = keras.Model(inputs, x)
    if weights is not None:
        model.load_weights(weights)
    return model


def _block(
    x: KerasTensor, widths: tuple[int, ...], *, name: str, strides: int = 1, project: bool = False
) -> KerasTensor:
    """Add three separable convolutions, the last with the strides, to their input."""
    shortcut = x
    if project:
        shortcut = conv_bn(x, widths[-1], 1, strides=strides, use_bias=False, name=f"{name}_0")
    for index, filters in enumerate(widths, start=1):
        last = strides if index == len(widths) else 1
        x = _relu_separable(x, filters, last, name=f"{name}_{index}")
    return layers.Add(name=f"{name}_add")([shortcut, x])


def _relu_separable(x: KerasTensor, filters: int, strides: int, *, name: str) -> KerasTensor:
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = depthwise(x, strides=strides, use_bias=False, name=name)
    x = batch_norm(x, name=f"{name}_dw_bn")
    return conv_bn(x, filters, 1, use_bias=False, name=name)


register_encoder(
    EncoderSpec(
        name="xception65",
        build=_build,
        convention="tf",
        # The features before the strided convolution of each block, as the paper takes them.
        taps=r"stem2_relu|entry\d_2_bn|middle16_add|exit1_2_bn",
        imagenet=False,
    )
)
