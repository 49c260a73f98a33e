"""A U-Net on MobileNet.

MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, Howard, Zhu,
Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, 2017, arXiv 1704.04861. No paper has the pair.
"""

from __future__ import annotations

from keras import KerasTensor

from kseg.layers.conv import conv_bn_relu, conv_relu_bn
from kseg.layers.decoder import expand, plain_up
from kseg.layers.head import head
from kseg.layers.mobilenet import mobilenet
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="mobilenet_unet",
    title="MobileNet-U-Net",
    paper="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    year=2017,
    arxiv="1704.04861",
    parameters=407_778,
    macs=333_632_768,
    stride=16,
    family="unet",
    founding_parameters=407_778,
    departures=(
        "a quarter of MobileNet's width after a stem of 16 filters, without its level at 1/32",
        "unlike in the founding project, ReLU in the decoder and scores enlarged to the size of "
        "the input, which cost no parameters",
    ),
)


@register_model(_SPEC)
def mobilenet_unet(inputs: KerasTensor, num_classes: int, *, filters: int = 16) -> KerasTensor:
    """Build the graph of a U-Net on MobileNet, which works at half the size of the images.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each of the four levels.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("mobilenet_unet", filters=(filters, 1))
    x = pad_to_multiple(inputs, 16, name="pad")
    *skips, x = mobilenet(x, filters, levels=4)
    x = conv_relu_bn(x, filters * 8, name="deep")
    widths = [skip.shape[-1] for skip in skips]
    x = expand(x, skips, widths, up=plain_up, block=conv_bn_relu)
    return head(x, num_classes, 3, like=inputs, factor=2)
