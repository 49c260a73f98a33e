"""FCN-8s on MobileNet.

MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, Howard, Zhu,
Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, 2017, arXiv 1704.04861. Fully Convolutional
Networks for Semantic Segmentation, Long, Shelhamer, Darrell, 2014, arXiv 1411.4038. No paper has
the pair.
"""

from __future__ import annotations

from keras import KerasTensor

from kseg.layers.conv import conv_relu_bn
from kseg.layers.fcn import fcn8_scores
from kseg.layers.mobilenet import mobilenet
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="mobilenet_fcn8",
    title="MobileNet-FCN-8s",
    paper="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    year=2017,
    arxiv="1704.04861",
    parameters=3_432_764,
    macs=203_724_752,
    stride=32,
    family="fcn",
    founding_parameters=3_432_764,
    departures=(
        "a quarter of MobileNet's width after a stem of 16 filters",
        "transposed convolutions of 2x2, 2x2 and 8x8 instead of FCN's 4x4, 4x4 and 16x16; the last "
        "goes in steps of four and is doubled bilinearly, where the founding project's fills "
        "squares of 8x8 pixels with one score each",
    ),
)


@register_model(_SPEC)
def mobilenet_fcn8(inputs: KerasTensor, num_classes: int, *, filters: int = 16) -> KerasTensor:
    """Build the graph of FCN-8s on MobileNet.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each of the five levels.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("mobilenet_fcn8", filters=(filters, 1))
    x = pad_to_multiple(inputs, 32, name="pad")
    *_, pool3, pool4, x = mobilenet(x, filters)
    x = conv_relu_bn(x, filters * 16, 7, name="deep")
    return fcn8_scores(pool3, pool4, x, num_classes, like=inputs, overlap=False)
