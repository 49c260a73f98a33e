"""ResUNet++: An Advanced Architecture for Medical Image Segmentation.

Jha, Smedsrud, Riegler, Johansen, de Lange, Halvorsen, Johansen, 2019, arXiv 1911.07067.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.attention import squeeze_excite
from kseg.layers.conv import bn_relu_conv, conv, conv_bn
from kseg.layers.head import head
from kseg.layers.preactivation import preactivation_encoder, preactivation_unit
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="resunet++",
    title="ResUNet++",
    paper="ResUNet++: An Advanced Architecture for Medical Image Segmentation",
    year=2019,
    arxiv="1911.07067",
    parameters=4_067_026,
    macs=11_997_293_120,
    stride=8,
    family="residual_unet",
    departures=("squeeze-and-excitation in the decoder too, as in the authors' code",),
)

_RATES = (1, 6, 12, 18)


@register_model(_SPEC)
def resunet_plus_plus(
    inputs: KerasTensor, num_classes: int, *, filters: int = 16, levels: int = 4, ratio: int = 8
) -> KerasTensor:
    """Build the ResUNet++ graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the stem; it doubles at each level and once more in the bridge.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        ratio: Squeeze-and-excitation squeezes `C` channels to `C // ratio`.
    """
    check_at_least("resunet++", filters=(filters, 1), levels=(levels, 2), ratio=(ratio, 1))
    widths = [filters * 2**level for level in range(levels + 1)]
    block = partial(_squeezed_unit, ratio=ratio)
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    *skips, x = preactivation_encoder(x, widths[:-1], block=block)
    x = _sum_pyramid(x, widths[-1], name="bridge")
    for level in reversed(range(levels - 1)):
        name = f"dec{level}"
        x = _attention(x, skips[level], name=f"{name}_attention")
        x = upsample(x, 2, interpolation="nearest", name=f"{name}_up")
        x = layers.Concatenate(name=f"{name}_concat")([x, skips[level]])
        x = block(x, widths[level + 1], name=name)
    x = _sum_pyramid(x, filters, name="aspp")
    return head(x, num_classes, like=inputs)


def _squeezed_unit(
    x: KerasTensor, filters: int, *, ratio: int, name: str, **options
) -> KerasTensor:
    """Apply a pre-activation unit and squeeze-and-excitation."""
    x = preactivation_unit(x, filters, name=name, **options)
    return squeeze_excite(x, ratio, use_bias=False, name=f"{name}_se")


def _sum_pyramid(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Add up dilated 3x3 convolutions of several rates, then apply a 1x1 convolution."""
    branches = [
        conv_bn(x, filters, dilation_rate=rate, use_bias=False, name=f"{name}_rate{rate}")
        for rate in _RATES
    ]
    return conv(layers.Add(name=f"{name}_add")(branches), filters, 1, name=name)


def _attention(x: KerasTensor, skip: KerasTensor, *, name: str) -> KerasTensor:
    """Weight `x` by what it and the skip connection, which is twice its size, have in common."""
    filters = x.shape[-1]
    seen = bn_relu_conv(skip, filters, use_bias=False, name=f"{name}_skip")
    seen = layers.MaxPooling2D(2, name=f"{name}_skip_pool")(seen)
    known = bn_relu_conv(x, filters, use_bias=False, name=f"{name}_gating")
    gate = layers.Add(name=f"{name}_add")([seen, known])
    gate = bn_relu_conv(gate, filters, name=f"{name}_map")
    return layers.Multiply(name=f"{name}_scale")([x, gate])
