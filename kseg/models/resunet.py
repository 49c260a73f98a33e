"""Road Extraction by Deep Residual U-Net.

Zhang, Liu, Wang, 2017, arXiv 1711.10684.
"""

from __future__ import annotations

from keras import KerasTensor

from kseg.layers.decoder import expand, plain_up
from kseg.layers.head import head
from kseg.layers.preactivation import preactivation_encoder, preactivation_unit
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="resunet",
    title="Deep Residual U-Net",
    paper="Road Extraction by Deep Residual U-Net",
    year=2017,
    arxiv="1711.10684",
    parameters=8_228_866,
    macs=34_630_270_976,
    stride=8,
    family="residual_unet",
    departures=(
        "a 1x1 convolution and batch normalisation in each shortcut, because the channels change "
        "there; the paper's count of 7.8 million is of the other 15 convolutions",
    ),
)


@register_model(_SPEC)
def resunet(
    inputs: KerasTensor, num_classes: int, *, filters: int = 64, levels: int = 4
) -> KerasTensor:
    """Build the Deep Residual U-Net graph: strides instead of pooling, nearest upsampling.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each level.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
    """
    check_at_least("resunet", filters=(filters, 1), levels=(levels, 2))
    widths = [filters * 2**level for level in range(levels)]
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    *skips, x = preactivation_encoder(x, widths)
    x = expand(x, skips, widths, up=plain_up, block=preactivation_unit)
    return head(x, num_classes, like=inputs)
