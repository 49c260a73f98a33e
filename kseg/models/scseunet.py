"""Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks.

Roy, Navab, Wachinger, 2018, arXiv 1803.02579.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor

from kseg.layers.attention import scse
from kseg.layers.conv import double_conv
from kseg.layers.decoder import contract, expand
from kseg.layers.head import head
from kseg.layers.head import head_bn as normalised_head
from kseg.layers.resample import pad_to_multiple, up_conv
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="scseunet",
    title="scSE-U-Net",
    paper="Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks",
    year=2018,
    arxiv="1803.02579",
    parameters=1_959_266,
    macs=2_682_213_632,
    stride=16,
    family="attention_unet",
    founding_parameters=1_959_266,
    departures=(
        "16 filters at full size, where the paper has 64 at every level",
        "attention after the three finest decoder blocks instead of after every block",
        "the spatial gate has one weight per value instead of one per place (`spatial_channels=1`)",
        "batch normalisation of the class scores (`head_bn=False` leaves it out, which is better "
        "for small batches)",
    ),
)

_INIT = {"kernel_initializer": "he_normal"}
_ATTENTIVE = 3


@register_model(_SPEC)
def scseunet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 16,
    levels: int = 5,
    spatial_channels: int | None = None,
    head_bn: bool = True,
) -> KerasTensor:
    """Build a U-Net whose three finest decoder blocks end in concurrent attention.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        spatial_channels: 1 for one weight per place, as in the paper; None for one per value.
        head_bn: Normalise the class scores over the batch.
    """
    check_at_least("scseunet", filters=(filters, 1), levels=(levels, 2))
    check_choice("scseunet", "spatial_channels", spatial_channels, (None, 1))
    widths = [filters * 2**level for level in range(levels)]
    plain = partial(double_conv, **_INIT)

    def attentive(x: KerasTensor, width: int, *, name: str) -> KerasTensor:
        x = plain(x, width, name=name)
        if width not in widths[:_ATTENTIVE]:
            return x
        gate = spatial_channels or width
        return scse(x, spatial_channels=gate, name=f"{name}_scse", **_INIT)

    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    *skips, x = contract(x, widths, block=plain)
    up = partial(up_conv, kernel_size=2, **_INIT)
    x = expand(x, skips, widths, up=up, block=attentive)
    finish = normalised_head if head_bn else head
    return finish(x, num_classes, kernel_size=3, like=inputs)
