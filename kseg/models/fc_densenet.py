"""The One Hundred Layers Tiramisu: Fully Convolutional DenseNets for Semantic Segmentation.

Jegou, Drozdzal, Vazquez, Romero, Bengio, 2016, arXiv 1611.09326.
"""

from __future__ import annotations

from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import bn_relu_conv, conv
from kseg.layers.head import head
from kseg.layers.resample import pad_to_multiple
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="fc_densenet",
    title="FC-DenseNet",
    paper="The One Hundred Layers Tiramisu: Fully Convolutional DenseNets for Semantic "
    "Segmentation",
    year=2016,
    arxiv="1611.09326",
    parameters=9_422_850,
    macs=19_956_964_608,
    stride=32,
    family="residual_unet",
    aliases={f"fc_densenet{depth}": {"depth": depth} for depth in (56, 67, 103)},
)

# New channels per layer, and layers of the blocks on the way down with the bottleneck's last.
_DEPTHS = {
    56: (12, (4, 4, 4, 4, 4, 4)),
    67: (16, (5, 5, 5, 5, 5, 5)),
    103: (16, (4, 5, 7, 10, 12, 15)),
}

_HE = {"kernel_initializer": "he_uniform"}


@register_model(_SPEC)
def fc_densenet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    depth: int = 103,
    growth_rate: int | None = None,
    block_layers: tuple[int, ...] | None = None,
    filters: int = 48,
    dropout: float = 0.2,
) -> KerasTensor:
    """Build the FC-DenseNet graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        depth: 56, 67 or 103, the paper's networks; it sets the next two.
        growth_rate: Channels that each layer of a dense block adds; None for the depth's.
        block_layers: Layers of each dense block on the way down, the bottleneck's last; the way
            up mirrors them. None for the depth's. The stride is `2 ** (len(block_layers) - 1)`.
        filters: Channels of the first convolution.
        dropout: Rate after each convolution of the dense blocks, 0..1.
    """
    check_choice("fc_densenet", "depth", depth, tuple(_DEPTHS))
    growth_rate = _DEPTHS[depth][0] if growth_rate is None else growth_rate
    block_layers = _DEPTHS[depth][1] if block_layers is None else block_layers
    _check(growth_rate, block_layers, filters)
    *counts, bottleneck = block_layers
    dense = partial(_dense_block, growth_rate=growth_rate, dropout=dropout)
    x = pad_to_multiple(inputs, 2 ** len(counts), name="pad")
    x = conv(x, filters, name="stem", **_HE)
    skips = []
    for level, count in enumerate(counts):
        x, _ = dense(x, count, name=f"enc{level}")
        skips.append(x)
        x = _down(x, dropout, name=f"enc{level}_down")
    _, new = dense(x, bottleneck, name="bridge")
    for level in reversed(range(len(counts))):
        x = _up(new, growth_rate * len(new), name=f"dec{level}_up")
        x = layers.Concatenate(name=f"dec{level}_concat")([x, skips[level]])
        x, new = dense(x, counts[level], name=f"dec{level}")
    return head(x, num_classes, like=inputs, **_HE)


def _check(growth_rate: int, block_layers: tuple[int, ...], filters: int) -> None:
    check_at_least("fc_densenet", growth_rate=(growth_rate, 1), filters=(filters, 1))
    if len(block_layers) < 2 or min(block_layers) < 1:
        raise ValueError(
            f"fc_densenet needs block_layers to be two or more numbers >= 1, got {block_layers}"
        )


def _dense_block(
    x: KerasTensor, count: int, *, growth_rate: int, dropout: float, name: str
) -> tuple[KerasTensor, list[KerasTensor]]:
    """Let each layer see all before it; return input and new features together, then the new."""
    new = []
    for index in range(count):
        layer = f"{name}_{index}"
        y = bn_relu_conv(x, growth_rate, name=layer, **_HE)
        y = layers.Dropout(dropout, name=f"{layer}_dropout")(y)
        x = layers.Concatenate(name=f"{layer}_concat")([x, y])
        new.append(y)
    return x, new


def _down(x: KerasTensor, dropout: float, *, name: str) -> KerasTensor:
    """Halve height and width after a 1x1 convolution."""
    x = bn_relu_conv(x, x.shape[-1], 1, name=name, **_HE)
    x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def _up(new: list[KerasTensor], filters: int, *, name: str) -> KerasTensor:
    """Double height and width of what the last block added, not of all that it saw."""
    x = layers.Concatenate(name=f"{name}_concat")(new) if len(new) > 1 else new[0]
    layer = layers.Conv2DTranspose(
        filters, 3, strides=2, padding="same", name=f"{name}_conv", **_HE
    )
    return layer(x)
