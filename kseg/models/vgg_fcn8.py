"""FCN-8s: Fully Convolutional Networks for Semantic Segmentation, on VGG16.

Long, Shelhamer, Darrell, 2014, arXiv 1411.4038.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import conv_relu
from kseg.layers.fcn import fcn8_scores
from kseg.layers.resample import pad_to_multiple
from kseg.layers.vgg import vgg16
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="vgg_fcn8",
    title="FCN-8s",
    paper="Fully Convolutional Networks for Semantic Segmentation",
    year=2014,
    arxiv="1411.4038",
    parameters=134_270_572,
    macs=21_205_184_336,
    stride=32,
    family="fcn",
    departures=(
        "transposed convolutions of 2x2, 2x2 and 8x8 with bias (`overlap=True` has the paper's "
        "4x4, 4x4 and 16x16); the last goes in steps of four and is doubled bilinearly, so that "
        "its cells overlap",
        "same padding instead of a border of 100 zeros",
        "trained in one stage, not as FCN-32s and FCN-16s first",
    ),
)


@register_model(_SPEC)
def vgg_fcn8(
    inputs: KerasTensor,
    num_classes: int,
    *,
    filters: int = 64,
    hidden: int = 4096,
    dropout: float = 0.5,
    overlap: bool = False,
) -> KerasTensor:
    """Build the FCN-8s graph: VGG16 with its fully connected layers turned into convolutions.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        filters: Width of the first level of VGG16.
        hidden: Width of the two convolutions that were fully connected.
        dropout: Dropout after each of these, 0..1.
        overlap: Enlarge scores with the paper's kernels of 4x4, 4x4 and 16x16; else with 2x2 and
            2x2, which start as nearest interpolation, and 8x8.

    Raises:
        ValueError: No positive `filters` or `hidden`.
    """
    check_at_least("vgg_fcn8", filters=(filters, 1), hidden=(hidden, 1))
    x = pad_to_multiple(inputs, 32, name="pad")
    _, pooled = vgg16(x, filters)
    x = pooled[-1]
    for part, kernel_size in (("a", 7), ("b", 1)):
        x = conv_relu(x, hidden, kernel_size, name=f"deep_{part}")
        x = layers.Dropout(dropout, name=f"deep_{part}_dropout")(x)
    return fcn8_scores(pooled[2], pooled[3], x, num_classes, like=inputs, overlap=overlap)
