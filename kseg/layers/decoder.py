"""The way down and the way up again that the U-Net family shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import KerasTensor, layers

from kseg.layers.attention import attention_gate
from kseg.layers.conv import double_conv
from kseg.layers.resample import pad_to_multiple, up_conv, upsample

Block = Callable[..., KerasTensor]

DECODER_FILTERS = (256, 128, 64, 32, 16)
"""Channels of a decoder over an encoder, from stride 16 to full size, unless others are given."""


def contract(x: KerasTensor, widths: Sequence[int], *, block: Block = double_conv):
    """Apply one block per resolution with max pooling between them.

    Args:
        x: Images or features `(N, H, W, C)`; H and W are multiples of `2 ** (len(widths) - 1)`.
        widths: Channels of each resolution, finest first.
        block: Called as `block(x, filters, name="enc0")`.

    Returns:
        What each block returned, finest first.
    """
    features = []
    for level, filters in enumerate(widths):
        if level:
            x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
        x = block(x, filters, name=f"enc{level}")
        features.append(x)
    return features


def encode(
    encoder: Callable[..., Any], images: KerasTensor, levels: int
) -> list[KerasTensor | None]:
    """Return an encoder's features at strides 1, 2, ..., `2 ** levels`, None where it has none.

    Args:
        encoder: Called on the images, padded to multiples of 32; returns an object whose
            `features` are tensors by stride.
        images: Images `(N, H, W, C)`.
        levels: How often a decoder over these features doubles the size.
    """
    features = encoder(pad_to_multiple(images, 32, name="pad")).features
    return [features.get(2**level) for level in range(levels + 1)]


def concat_skip(
    x: KerasTensor, skip: KerasTensor | None, filters: int, *, name: str
) -> KerasTensor:
    """Put the skip connection in front of `x`; returns `x` where there is none."""
    return x if skip is None else layers.Concatenate(name=f"{name}_concat")([skip, x])


def gated_skip(
    x: KerasTensor,
    skip: KerasTensor | None,
    filters: int,
    *,
    channels: int | None = None,
    ratio: int = 1,
    name: str,
) -> KerasTensor:
    """Weight the skip connection by attention to `x`, then put it in front of `x`.

    Args:
        x: Decoder features `(N, H, W, C)`.
        skip: Encoder features of the same size, or None for none.
        filters: The gate compares both in `filters // ratio` channels.
        channels: Channels of the gate; None for those of `skip`.
        ratio: What `filters` is divided by.
        name: First part of the layers' names.
    """
    if skip is not None:
        width, channels = max(1, filters // ratio), channels or skip.shape[-1]
        skip = attention_gate(x, skip, width, channels=channels, name=f"{name}_gate")
    return concat_skip(x, skip, filters, name=name)


def plain_up(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Double height and width (nearest) without a convolution, whatever `filters` are wanted."""
    return upsample(x, 2, interpolation="nearest", name=f"{name}_up")


def expand(
    x: KerasTensor,
    skips: Sequence[KerasTensor | None],
    widths: Sequence[int],
    *,
    up: Block = up_conv,
    merge: Block = concat_skip,
    block: Block = double_conv,
) -> KerasTensor:
    """Go up to the finest of `skips`: enlarge, merge with the skip connection, apply a block.

    Args:
        x: Features at half the size of the coarsest skip connection.
        skips: One per resolution, finest first; None where there is none.
        widths: Channels of each resolution, finest first.
        up: Called as `up(x, filters, name="dec0_up")`, doubles the size.
        merge: Called as `merge(x, skip, filters, name="dec0")`.
        block: Called as `block(x, filters, name="dec0")`.
    """
    for level in reversed(range(len(skips))):
        filters, name = widths[level], f"dec{level}"
        x = up(x, filters, name=f"{name}_up")
        x = block(merge(x, skips[level], filters, name=name), filters, name=name)
    return x
