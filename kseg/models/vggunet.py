"""A U-Net whose encoder has the layout of VGG16.

VGG16: Very Deep Convolutional Networks for Large-Scale Image Recognition, Simonyan, Zisserman,
2014, arXiv 1409.1556. The nearest paper on the pair is TernausNet, Iglovikov, Shvets, 2018,
arXiv 1801.05746.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm, conv_bn_relu, relu
from kseg.layers.decoder import expand
from kseg.layers.head import head
from kseg.layers.head import head_bn as normalised_head
from kseg.layers.resample import pad_to_multiple
from kseg.layers.vgg import VGG16_WIDTHS, vgg16
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="vggunet",
    title="VGG16-U-Net",
    paper="TernausNet: U-Net with VGG11 Encoder Pre-Trained on ImageNet for Image Segmentation",
    year=2018,
    arxiv="1801.05746",
    parameters=25_884_170,
    macs=39_039_336_448,
    stride=16,
    family="unet",
    founding_parameters=25_884_170,
    departures=(
        "VGG16 instead of VGG11, with batch normalisation, and a decoder of U-Net's widths, as "
        "in the founding project",
        "batch normalisation of the class scores (`head_bn=False` leaves it out)",
    ),
)


@register_model(_SPEC)
def vggunet(
    inputs: KerasTensor, num_classes: int, *, filters: int = 64, head_bn: bool = True
) -> KerasTensor:
    """Build the graph of a U-Net on VGG16.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level.
        head_bn: Normalise the class scores over the batch.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("vggunet", filters=(filters, 1))
    x = pad_to_multiple(inputs, 16, name="pad")
    features, _ = vgg16(x, filters, unit=conv_bn_relu)
    widths = [filters * width for width in VGG16_WIDTHS[:-1]]
    x = expand(features[-1], features[:-1], widths, up=_up)
    return (normalised_head if head_bn else head)(x, num_classes, 3, like=inputs)


def _up(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Double the size with a 2x2 transposed convolution, BN and ReLU."""
    x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"{name}_conv")(x)
    return relu(batch_norm(x, name=f"{name}_bn"), name=name)
