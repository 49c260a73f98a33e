"""Gates between 0 and 1 that weight channels or places of a feature map."""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import conv, conv_bn, relu
from kseg.layers.pooling import global_average_pool


def channel_gate(x: KerasTensor, filters: int, *, name: str, **options) -> KerasTensor:
    """Return one weight per channel, `(N, 1, 1, C)`, from the mean of the map `(N, H, W, C)`.

    Args:
        x: Features `(N, H, W, C)`.
        filters: Channels that the means are squeezed to.
        name: First part of the layers' names.
        **options: Options of `Conv2D` for both 1x1 convolutions.
    """
    gate = global_average_pool(x, name=f"{name}_pool")
    gate = relu(conv(gate, filters, 1, name=f"{name}_squeeze", **options), name=f"{name}_squeeze")
    gate = conv(gate, x.shape[-1], 1, name=f"{name}_excite", **options)
    return _sigmoid(gate, name=name)


def squeeze_excite(x: KerasTensor, ratio: int, *, name: str, **options) -> KerasTensor:
    """Weight the channels of `x` by what the whole map contains.

    Hu, Shen, Albanie, Sun, Wu, 2017, arXiv 1709.01507.

    Args:
        x: Features `(N, H, W, C)`.
        ratio: The `C` means are squeezed to `C // ratio` channels, at least 1.
        name: First part of the layers' names.
        **options: Options of `Conv2D` for both 1x1 convolutions.
    """
    gate = channel_gate(x, max(1, x.shape[-1] // ratio), name=name, **options)
    return layers.Multiply(name=f"{name}_scale")([x, gate])


def scse(
    x: KerasTensor, ratio: int = 2, *, spatial_channels: int = 1, name: str, **options
) -> KerasTensor:
    """Weight `x` by channel and by place at once and add both results.

    Roy, Navab, Wachinger, 2018, arXiv 1803.02579.

    Args:
        x: Features `(N, H, W, C)`.
        ratio: The `C` means are squeezed to `C // ratio` channels, at least 1.
        spatial_channels: 1 for one weight per place, as in the paper, or `C` for one per value.
        name: First part of the layers' names.
        **options: Options of `Conv2D` for the 1x1 convolutions.
    """
    channels = squeeze_excite(x, ratio, name=f"{name}_channel", **options)
    gate = conv(x, spatial_channels, 1, name=f"{name}_spatial", **options)
    gate = _sigmoid(gate, name=f"{name}_spatial")
    places = layers.Multiply(name=f"{name}_spatial_scale")([x, gate])
    return layers.Add(name=f"{name}_add")([channels, places])


def attention_gate(
    gating: KerasTensor, skip: KerasTensor, filters: int, *, channels: int, name: str
) -> KerasTensor:
    """Weight a skip connection by additive attention to a coarser signal.

    Oktay et al., 2018, arXiv 1804.03999.

    Args:
        gating: What the decoder knows, `(N, H, W, G)`, brought to the size of `skip`.
        skip: Encoder features `(N, H, W, C)`.
        filters: Channels in which both are compared.
        channels: 1 for one weight per place, as in the paper, or `C` for one per value.
        name: First part of the layers' names.
    """
    gating = conv_bn(gating, filters, 1, name=f"{name}_gating")
    compared = conv_bn(skip, filters, 1, name=f"{name}_skip")
    gate = relu(layers.Add(name=f"{name}_add")([gating, compared]), name=name)
    gate = _sigmoid(conv_bn(gate, channels, 1, name=f"{name}_map"), name=name)
    return layers.Multiply(name=f"{name}_scale")([skip, gate])


def _sigmoid(x: KerasTensor, *, name: str) -> KerasTensor:
    return layers.Activation("sigmoid", name=f"{name}_sigmoid")(x)
