"""nnU-Net: Self-adapting Framework for U-Net-Based Medical Image Segmentation.

Isensee, Petersen, Klein, Zimmerer, Jaeger, Kohl, Wasserthal, Koehler, Norajitra, Wirkert,
Maier-Hein, 2018, arXiv 1809.10486. The network of that framework, not its planning or training.
"""

from __future__ import annotations

from keras import KerasTensor

from kseg.layers.nnunet import strided_encoder, supervised_decoder
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="plain_unet",
    title="nnU-Net",
    paper="nnU-Net: Self-adapting Framework for U-Net-Based Medical Image Segmentation",
    year=2018,
    arxiv="1809.10486",
    parameters=20_617_730,
    macs=10_913_480_704,
    stride=32,
    family="unet",
    aliases={"nnunet": {}},
    departures=(
        "six stages whatever the image size; the framework plans as many as leave the coarsest "
        "map at least 4x4 (`stages`)",
        "strided convolutions instead of pooling and up to 512 channels, as in its second version",
        "one head on the finest stage; `deep_supervision=True` adds those of the others",
    ),
)


@register_model(_SPEC)
def plain_unet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    max_filters: int = 512,
    stages: int = 6,
    convolutions: int = 2,
    deep_supervision: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build nnU-Net's plain 2D U-Net: instance normalisation and leaky ReLU.

    The coarsest map has `ceil(size / 2 ** (stages - 1))` rows. Where that is one by one, instance
    normalisation makes it a constant, and the coarsest stage learns nothing from the image: take
    fewer stages to train on images of 32 pixels.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first stage; it doubles at each stage.
        max_filters: Largest width.
        stages: Number of resolutions, at least 2; the stride is `2 ** (stages - 1)`.
        convolutions: Convolutions of each stage.
        deep_supervision: Add a head on each coarser decoder stage, "aux1" on the one at half size.
    """
    check_at_least(
        "plain_unet",
        filters=(filters, 1),
        max_filters=(max_filters, 1),
        stages=(stages, 2),
        convolutions=(convolutions, 1),
    )
    widths = [min(max_filters, filters * 2**stage) for stage in range(stages)]
    x = pad_to_multiple(inputs, 2 ** (stages - 1), name="pad")
    features = strided_encoder(x, widths, [convolutions] * stages)
    return supervised_decoder(
        features, num_classes, count=convolutions, like=inputs, deep_supervision=deep_supervision
    )
