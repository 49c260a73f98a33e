"""Convolutions that see their own output again.

Alom, Hasan, Yakopcic, Taha, Asari, 2018, arXiv 1802.06955.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import KerasTensor, layers

from kseg.layers.conv import BATCH_NORM_MOMENTUM, conv, conv_bn_relu

Unit = Callable[..., KerasTensor]


def recurrent_conv(x: KerasTensor, *, steps: int = 2, name: str) -> KerasTensor:
    """Apply `y_0 = f(x)`, then `steps` times `y_t = f(x + y_(t-1))`; return the last.

    `f` is one 3x3 conv-BN-ReLU: every step uses the same weights and the same statistics, so that
    steps deepen the network without adding parameters.

    Args:
        x: Features `(N, H, W, C)`; the result has the same shape.
        steps: Number of repetitions, at least 0.
        name: First part of the layers' names.
    """
    shared = (
        layers.Conv2D(x.shape[-1], 3, padding="same", name=f"{name}_conv"),
        layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn"),
        layers.ReLU(name=f"{name}_relu"),
    )
    y = _apply(shared, x)
    for step in range(1, steps + 1):
        y = _apply(shared, layers.Add(name=f"{name}_add{step}")([x, y]))
    return y


def doubled_conv(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply two 3x3 conv-BN-ReLU with the features doubled between them.

    Not recurrent: the founding project's stand-in for `recurrent_conv`, kept for its weights.
    """
    x = conv_bn_relu(x, x.shape[-1], name=f"{name}_a")
    x = layers.Add(name=f"{name}_add")([x, x])
    return conv_bn_relu(x, x.shape[-1], name=f"{name}_b")


def recurrent_residual(
    x: KerasTensor, filters: int, *, unit: Unit = recurrent_conv, name: str
) -> KerasTensor:
    """Apply a 1x1 convolution to `filters` channels, then two units around a shortcut."""
    x = conv(x, filters, 1, name=f"{name}_in")
    y = unit(unit(x, name=f"{name}_a"), name=f"{name}_b")
    return layers.Add(name=f"{name}_add")([x, y])


def _apply(shared: tuple[layers.Layer, ...], x: KerasTensor) -> KerasTensor:
    for layer in shared:
        x = layer(x)
    return x
