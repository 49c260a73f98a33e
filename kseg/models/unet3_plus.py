"""UNet 3+: A Full-Scale Connected UNet for Medical Image Segmentation.

Huang, Lin, Tong, Hu, Zhang, Iwamoto, Han, Chen, Wu, 2020, arXiv 2004.08790.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn_relu, double_conv
from kseg.layers.decoder import contract
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="unet3+",
    title="UNet 3+",
    paper="UNet 3+: A Full-Scale Connected UNet for Medical Image Segmentation",
    year=2020,
    arxiv="2004.08790",
    parameters=26_981_186,
    macs=151_472_111_616,
    stride=16,
    family="nested_unet",
    departures=(
        "one head on the finest decoder stage; `deep_supervision=True` adds those of the others",
        "no classification of the whole image: it only blanks images without any object",
    ),
)

_UNIT = partial(conv_bn_relu, use_bias=False)


@register_model(_SPEC)
def unet3_plus(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    levels: int = 5,
    deep_supervision: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build the UNet 3+ graph: each decoder stage sees features of every scale.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level, doubled at each level, and of each full-scale skip.
        levels: Number of resolutions, at least 2; the stride is `2 ** (levels - 1)`.
        deep_supervision: Add a head on each coarser stage, "aux1" on the one at half size.
    """
    check_at_least("unet3+", filters=(filters, 1), levels=(levels, 2))
    widths = [filters * 2**level for level in range(levels)]
    x = pad_to_multiple(inputs, 2 ** (levels - 1), name="pad")
    features = contract(x, widths, block=partial(double_conv, use_bias=False))
    # From the coarsest level on, what the decoder made takes the place of what the encoder saw.
    for level in reversed(range(levels - 1)):
        features[level] = _aggregate(features, level, filters, name=f"dec{level}")
    logits = head(features[0], num_classes, 3, like=inputs)
    if not deep_supervision:
        return logits
    return {"logits": logits} | {
        f"aux{level}": head(
            features[level], num_classes, 3, like=inputs, factor=2**level, name=f"aux{level}"
        )
        for level in range(1, levels)
    }


def _aggregate(features: list[KerasTensor], level: int, filters: int, *, name: str) -> KerasTensor:
    """Bring the features of all levels to one size and width, concatenate and fuse them."""
    branches = []
    for source, x in enumerate(features):
        branch = f"{name}_from{source}"
        if source < level:
            x = layers.MaxPooling2D(2 ** (level - source), name=f"{branch}_pool")(x)
        else:
            x = upsample(x, 2 ** (source - level), name=f"{branch}_up")
        branches.append(_UNIT(x, filters, name=branch))
    x = layers.Concatenate(name=f"{name}_concat")(branches)
    return _UNIT(x, filters * len(features), name=name)
