"""The graph that nnU-Net's networks share: strided encoder, transposed decoder, many heads.

nnU-Net: Isensee et al., 2018, arXiv 1809.10486.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import KerasTensor, layers

from kseg.layers.decoder import expand
from kseg.layers.head import head
from kseg.layers.instance import conv_in_stack

Stack = Callable[..., KerasTensor]
_HE = {"kernel_initializer": "he_normal"}


def strided_encoder(
    x: KerasTensor, widths: Sequence[int], counts: Sequence[int], *, stack: Stack = conv_in_stack
) -> list[KerasTensor]:
    """Apply one stack per resolution, each but the first with stride 2; return all, finest first.

    Args:
        x: Images or features `(N, H, W, C)`; H and W are multiples of `2 ** (len(widths) - 1)`.
        widths: Channels of each resolution, finest first.
        counts: Blocks of each resolution.
        stack: Called as `stack(x, filters, count=2, strides=2, name="enc1")`.
    """
    features = []
    for level, (filters, count) in enumerate(zip(widths, counts, strict=True)):
        x = stack(x, filters, count=count, strides=2 if level else 1, name=f"enc{level}")
        features.append(x)
    return features


def supervised_decoder(
    features: Sequence[KerasTensor],
    num_classes: int,
    *,
    count: int,
    like: KerasTensor,
    deep_supervision: bool = False,
) -> KerasTensor | dict[str, KerasTensor]:
    """Go up with transposed convolutions; score the finest stage, or each stage.

    Args:
        features: What the encoder returned, finest first.
        num_classes: Channels of the scores.
        count: Convolutions of each decoder stage.
        like: The images `(N, H, W, C)`.
        deep_supervision: Also return the scores of the coarser stages, "aux1" at half size.
    """
    stages = []

    def block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
        stages.append(conv_in_stack(x, filters, count=count, name=name))
        return stages[-1]

    *skips, x = features
    expand(x, skips, [skip.shape[-1] for skip in skips], up=_transposed_up, block=block)
    *coarse, x = stages
    logits = head(x, num_classes, like=like, **_HE)
    if not deep_supervision:
        return logits
    return {"logits": logits} | {
        f"aux{level}": head(x, num_classes, like=like, factor=2**level, name=f"aux{level}", **_HE)
        for level, x in enumerate(reversed(coarse), start=1)
    }


def _transposed_up(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Double height and width with a 2x2 transposed convolution."""
    layer = layers.Conv2DTranspose(filters, 2, strides=2, name=f"{name}_conv", **_HE)
    return layer(x)
