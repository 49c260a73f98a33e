"""nnU-Net Revisited: A Call for Rigorous Validation in 3D Medical Image Segmentation.

Isensee, Wald, Ulrich, Baumgartner, Roy, Maier-Hein, Jaeger, 2024, arXiv 2404.09556. The 2D
network with the residual encoder that it recommends.
"""

from __future__ import annotations

from keras import KerasTensor

from kseg.layers.instance import conv_in_relu, residual_in_stack
from kseg.layers.nnunet import strided_encoder, supervised_decoder
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="resenc_unet",
    title="nnU-Net ResEnc",
    paper="nnU-Net Revisited: A Call for Rigorous Validation in 3D Medical Image Segmentation",
    year=2024,
    arxiv="2404.09556",
    parameters=71_815_234,
    macs=24_195_268_608,
    stride=32,
    family="residual_unet",
    aliases={"nnunet_resenc": {}},
    departures=(
        "six stages whatever the image size; the framework plans as many as leave the coarsest "
        "map at least 4x4 (`blocks`)",
        "one head on the finest stage; `deep_supervision=True` adds those of the others",
    ),
)


@register_model(_SPEC)
def resenc_unet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 32,
    max_filters: int = 512,
    blocks: tuple[int, ...] = (1, 3, 4, 6, 6, 6),
    convolutions: int = 1,
    deep_supervision: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Build nnU-Net's 2D U-Net with a residual encoder.

    The coarsest map has `ceil(size / 2 ** (len(blocks) - 1))` rows. Where that is one by one,
    instance normalisation makes it a constant, and the coarsest stage learns nothing from the
    image: take fewer stages to train on images of 32 pixels.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first stage; it doubles at each stage.
        max_filters: Largest width.
        blocks: Residual blocks of each stage, two or more stages; the stride is
            `2 ** (len(blocks) - 1)`.
        convolutions: Convolutions of each decoder stage.
        deep_supervision: Add a head on each coarser decoder stage, "aux1" on the one at half size.
    """
    check_at_least(
        "resenc_unet",
        filters=(filters, 1),
        max_filters=(max_filters, 1),
        convolutions=(convolutions, 1),
    )
    if len(blocks) < 2 or min(blocks) < 1:
        raise ValueError(f"resenc_unet needs blocks to be two or more numbers >= 1, got {blocks}")
    widths = [min(max_filters, filters * 2**stage) for stage in range(len(blocks))]
    x = pad_to_multiple(inputs, 2 ** (len(blocks) - 1), name="pad")
    x = conv_in_relu(x, filters, name="stem")
    features = strided_encoder(x, widths, blocks, stack=residual_in_stack)
    return supervised_decoder(
        features, num_classes, count=convolutions, like=inputs, deep_supervision=deep_supervision
    )
