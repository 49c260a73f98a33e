"""DeepLab: Image Segmentation with Deep Nets, Atrous Convolution and Fully Connected CRFs.

Chen, Papandreou, Kokkinos, Murphy, Yuille, 2016, arXiv 1606.00915.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv_relu
from kseg.layers.head import finish
from kseg.layers.resample import pad_to_multiple
from kseg.layers.vgg import VGG16_DEPTHS, VGG16_WIDTHS, conv_stack
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="deeplab_v2",
    title="DeepLabV2",
    paper="DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, "
    "and Fully Connected CRFs",
    year=2016,
    arxiv="1606.00915",
    parameters=37_799_752,
    macs=37_600_690_176,
    stride=8,
    family="deeplab",
    founding_parameters=37_799_752,
    departures=(
        "no fully connected CRF and one scale of the image: the network alone",
        "linear class scores; the founding project's have a ReLU, after which a class that no "
        "branch likes gets no gradient",
    ),
)


@register_model(_SPEC)
def deeplab_v2(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    rates: Sequence[int] = (6, 12, 18, 24),
    dropout: float = 0.5,
) -> KerasTensor:
    """Build the DeepLabV2 graph: VGG16 at stride 8, then parallel dilated branches.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first block; the branches are 16 times as wide.
        rates: Dilation of each branch. The default is the paper's ASPP-L, `(2, 4, 8, 12)` its
            ASPP-S, `(12,)` its LargeFOV.
        dropout: Dropout in the branches, 0..1.

    Raises:
        ValueError: No positive `filters`, or no rates or not all of them positive.
    """
    smallest_rate = min(rates, default=0)
    check_at_least("deeplab_v2", filters=(filters, 1), rates=(smallest_rate, 1))
    x = pad_to_multiple(inputs, 8, name="pad")
    for level, (width, depth) in enumerate(zip(VGG16_WIDTHS, VGG16_DEPTHS, strict=True)):
        unit = partial(conv_relu, dilation_rate=2 if level == 4 else 1)
        x = conv_stack(x, [filters * width] * depth, unit=unit, name=f"enc{level}")
        x = _pool(x, strides=2 if level < 3 else 1, name=f"enc{level}")
    scores = [_branch(x, num_classes, filters * 16, rate, dropout) for rate in rates]
    if len(scores) > 1:
        scores = [layers.Add(dtype="float32", name="head_add")(scores)]
    return finish(scores[0], like=inputs, factor=8)


def _pool(x: KerasTensor, strides: int, *, name: str) -> KerasTensor:
    """Pool 3x3 windows that are centred on every `strides`-th pixel."""
    # "same" would pad only bottom and right with stride 2. Zeros never win after a ReLU.
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, strides=strides, name=f"{name}_pool")(x)


def _branch(
    x: KerasTensor, num_classes: int, filters: int, rate: int, dropout: float
) -> KerasTensor:
    """Score with a field of view that `rate` sets; float32 also under mixed precision."""
    name = f"aspp_{rate}"
    for part, kernel_size, dilation in (("a", 3, rate), ("b", 1, 1)):
        x = conv_relu(x, filters, kernel_size, dilation_rate=dilation, name=f"{name}_{part}")
        x = layers.Dropout(dropout, name=f"{name}_{part}_dropout")(x)
    return layers.Conv2D(num_classes, 1, dtype="float32", name=f"head_{rate}_conv")(x)
