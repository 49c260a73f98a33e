"""ResNet-18 and ResNet-34, which `keras.applications` does not have.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015, arXiv 1512.03385.
"""

from __future__ import annotations

from functools import partial

import keras
from keras import KerasTensor, layers

from kseg.encoders.registry import EncoderSpec, register_encoder
from kseg.layers.conv import batch_norm, conv_bn

_BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
_EPSILON = 1e-5


def _build(
    blocks: tuple[int, ...], input_shape: tuple[int, int, int], weights: str | None
) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = _strided(inputs, 64, 7, name="conv1")
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks):
        for index in range(count):
            half = bool(stage) and index == 0
            x = _block(x, 64 * 2**stage, half, name=f"conv{stage + 2}_block{index + 1}")
    model = keras.Model(inputs, x)
    if weights is not None:
        model.load_weights(weights)
    return model


def _block(x: KerasTensor, filters: int, half: bool, *, name: str) -> KerasTensor:
    """Add two 3x3 convolutions to their input, which is projected where the size is halved."""
    options = {"use_bias": False, "epsilon": _EPSILON}
    shortcut = x
    if half:
        shortcut = conv_bn(x, filters, 1, strides=2, name=f"{name}_0", **options)
        x = _strided(x, filters, 3, name=f"{name}_1")
    else:
        x = conv_bn(x, filters, name=f"{name}_1", **options)
    x = conv_bn(layers.ReLU(name=f"{name}_relu")(x), filters, name=f"{name}_2", **options)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_out")(x)


def _strided(x: KerasTensor, filters: int, kernel_size: int, *, name: str) -> KerasTensor:
    """Halve the size with a convolution and normalise.

    The padding is the same on all sides, unlike that of Keras' "same": so the windows are centred
    on the pixels that a 1x1 convolution with strides takes, and weights trained elsewhere fit.
    """
    x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    layer = layers.Conv2D(filters, kernel_size, strides=2, use_bias=False, name=f"{name}_conv")
    return batch_norm(layer(x), epsilon=_EPSILON, name=f"{name}_bn")


for _name, _blocks in _BLOCKS.items():
    register_encoder(
        EncoderSpec(
            name=_name,
            build=partial(_build, _blocks),
            convention="torch",
            taps=r"conv1_relu|conv\d_block\d+_out",
            imagenet=False,
        )
    )
