"""LinkNet: Exploiting Encoder Representations for Efficient Semantic Segmentation.

Chaurasia, Culurciello, 2017, arXiv 1707.03718.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.encoders import Encoder
from kseg.layers.conv import batch_norm, conv_bn_relu, relu
from kseg.layers.head import head_transposed
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="linknet",
    title="LinkNet",
    paper="LinkNet: Exploiting Encoder Representations for Efficient Semantic Segmentation",
    year=2017,
    arxiv="1707.03718",
    parameters=11_545_154,
    macs=2_054_406_144,
    stride=32,
    family="real_time",
    default_encoder="resnet18",
)


@register_model(_SPEC)
def linknet(
    inputs: KerasTensor, num_classes: int, *, encoder: Encoder, filters: int = 32
) -> KerasTensor:
    """Build the LinkNet graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        encoder: Backbone; its features of strides 2 to 32 are used.
        filters: Channels of the two layers before the class scores.

    Raises:
        ValueError: No `filters`.
    """
    check_at_least("linknet", filters=(filters, 1))
    features = encoder(pad_to_multiple(inputs, 32, name="pad")).features
    # What a ResNet's first block gets. Encoders show it only before the pooling.
    first = layers.MaxPooling2D(3, strides=2, padding="same", name="link1_pool")(features[2])
    x = features[32]
    for level, link in ((4, features[16]), (3, features[8]), (2, features[4]), (1, first)):
        strides = 2 if level > 1 else 1
        x = _decode(x, link.shape[-1], strides=strides, name=f"dec{level}")
        x = layers.Add(name=f"dec{level}_add")([x, link])
    x = _transposed(x, filters, strides=2, name="final_up")
    x = conv_bn_relu(x, filters, use_bias=False, name="final")
    return head_transposed(x, num_classes, like=inputs)


def _decode(x: KerasTensor, filters: int, *, strides: int, name: str) -> KerasTensor:
    """Enlarge by `strides` in a quarter of the channels and end with `filters` channels."""
    width = max(1, x.shape[-1] // 4)
    x = conv_bn_relu(x, width, 1, use_bias=False, name=f"{name}_reduce")
    x = _transposed(x, width, strides=strides, name=f"{name}_up")
    return conv_bn_relu(x, filters, 1, use_bias=False, name=f"{name}_expand")


def _transposed(x: KerasTensor, filters: int, *, strides: int, name: str) -> KerasTensor:
    layer = layers.Conv2DTranspose(
        filters, 3, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return relu(batch_norm(layer(x), name=f"{name}_bn"), name=name)
