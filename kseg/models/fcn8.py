"""FCN-8s: Fully Convolutional Networks for Semantic Segmentation, with a small body.

Long, Shelhamer, Darrell, 2014, arXiv 1411.4038.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import conv_relu_bn
from kseg.layers.fcn import fcn8_scores
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="fcn8",
    title="FCN-8s (small)",
    paper="Fully Convolutional Networks for Semantic Segmentation",
    year=2014,
    arxiv="1411.4038",
    parameters=3_609_196,
    macs=411_233_088,
    stride=32,
    family="fcn",
    founding_parameters=3_609_196,
    departures=(
        "five convolutions of 16 to 256 filters with batch normalisation instead of VGG16's 13 "
        "(`vgg_fcn8` is the paper's network)",
        "transposed convolutions with bias, cropped at the centre so that scores stay where "
        "their features are",
    ),
)


@register_model(_SPEC)
def fcn8(inputs: KerasTensor, num_classes: int, *, filters: int = 16) -> KerasTensor:
    """Build the graph of a small FCN-8s.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level; it doubles at each of the five levels.

    Raises:
        ValueError: No positive `filters`.
    """
    check_at_least("fcn8", filters=(filters, 1))
    x = pad_to_multiple(inputs, 32, name="pad")
    pooled = []
    for level in range(5):
        x = conv_relu_bn(x, filters * 2**level, name=f"enc{level}")
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
        pooled.append(x)
    x = conv_relu_bn(x, filters * 16, 7, name="deep")
    return fcn8_scores(pooled[2], pooled[3], x, num_classes, like=inputs)
