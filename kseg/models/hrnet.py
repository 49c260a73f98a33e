"""Deep High-Resolution Representation Learning for Visual Recognition.

Wang, Sun, Cheng, Jiang, Deng, Zhao, Liu, Mu, Tan, Wang, Liu, Xiao, 2019, arXiv 1908.07919.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras import KerasTensor, layers

from kseg.layers.conv import conv_bn, conv_bn_relu, relu
from kseg.layers.head import head as class_scores
from kseg.layers.resample import pad_to_multiple, upsample
from kseg.layers.residual import basic_block, bottleneck_block, residual_stage
from kseg.models.options import check_at_least, check_choice
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="hrnet",
    title="HRNet",
    paper="Deep High-Resolution Representation Learning for Visual Recognition",
    year=2019,
    arxiv="1908.07919",
    parameters=28_608_640,
    macs=8_383_807_488,
    stride=32,
    family="high_resolution",
    founding_parameters=28_608_672,
    founding_reason="the table's network had 3 classes",
    departures=(
        "the body of HRNetV1, whose last module keeps only the finest branch, and two upsampling "
        'steps; `head="v2"` is the paper\'s HRNetV2 for segmentation',
        'width 32; `width=48` with `head="v2"` is the paper\'s largest',
    ),
)

_EPSILON = 1e-5
_UP = {"v1": "nearest", "v2": "bilinear"}
_stage = partial(residual_stage, epsilon=_EPSILON)
_conv_bn = partial(conv_bn, use_bias=False, epsilon=_EPSILON)
_conv_bn_relu = partial(conv_bn_relu, use_bias=False, epsilon=_EPSILON)


@register_model(_SPEC)
def hrnet(
    inputs: KerasTensor,
    num_classes: int,
    *,
    width: int = 32,
    head: str = "v1",
    modules: Sequence[int] = (1, 4, 3),
    blocks: int = 4,
) -> KerasTensor:
    """Build the HRNet graph: branches of four sizes that exchange what they see.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        width: Channels of the finest branch, at 1/4 of the size; each coarser one has twice as
            many. The paper has 18, 32, 40 and 48.
        head: "v1" upsamples the finest branch in two steps, "v2" joins all four at 1/4.
        modules: Modules of stage 2, 3 and 4; each stage adds a branch.
        blocks: Residual blocks of stage 1, and of each branch of each module. The paper's
            small networks have 2.

    Raises:
        ValueError: Another head, or a number that is not positive.
    """
    check_choice("hrnet", "head", head, tuple(_UP))
    check_choice("hrnet", "the number of stages in modules", len(modules), (3,))
    check_at_least("hrnet", width=(width, 1), blocks=(blocks, 1), modules=(min(modules), 1))
    x = _stage(bottleneck_block, _stem(inputs), 64, blocks, name="stage1")
    branches = [_conv_bn_relu(x, width, name="stage2_new0")]
    for stage, count in enumerate(modules, start=2):
        coarsest = x if stage == 2 else branches[-1]
        filters = width * 2 ** (stage - 1)
        new = _conv_bn_relu(coarsest, filters, strides=2, name=f"stage{stage}_new{stage - 1}")
        branches.append(new)
        for module in range(count):
            last = stage == 4 and module == count - 1
            targets = 1 if last and head == "v1" else stage
            branches = _module(branches, targets, blocks, _UP[head], name=f"stage{stage}_{module}")
    if head == "v1":
        return _finest_head(branches[0], num_classes, width, inputs)
    return _joined_head(branches, num_classes, inputs)


def _stem(images: KerasTensor) -> KerasTensor:
    x = pad_to_multiple(images, 32, name="pad")
    for index in range(2):
        x = _conv_bn_relu(x, 64, strides=2, name=f"stem_{index}")
    return x


def _module(
    branches: Sequence[KerasTensor], targets: int, blocks: int, interpolation: str, *, name: str
) -> list[KerasTensor]:
    """Work on each branch alone, then add all of them into each of the first `targets`."""
    branches = [
        _stage(basic_block, x, x.shape[-1], blocks, name=f"{name}_branch{index}")
        for index, x in enumerate(branches)
    ]
    fused = []
    for target in range(targets):
        filters = branches[target].shape[-1]
        terms = [
            _resample(x, filters, source - target, interpolation, name=f"{name}_{source}to{target}")
            for source, x in enumerate(branches)
        ]
        total = layers.Add(name=f"{name}_fuse{target}_add")(terms)
        fused.append(relu(total, name=f"{name}_fuse{target}"))
    return fused


def _resample(
    x: KerasTensor, filters: int, doublings: int, interpolation: str, *, name: str
) -> KerasTensor:
    """Bring a branch to the size of another one; a negative number of doublings halves."""
    if doublings > 0:
        x = _conv_bn(x, filters, 1, name=name)
        return upsample(x, 2**doublings, interpolation=interpolation, name=f"{name}_up")
    return _shrink(x, filters, -doublings, name=name) if doublings else x


def _shrink(x: KerasTensor, filters: int, steps: int, *, name: str) -> KerasTensor:
    """Halve the size `steps` times; only the last convolution changes the width."""
    for step in range(steps - 1):
        x = _conv_bn_relu(x, x.shape[-1], strides=2, name=f"{name}_{step}")
    return _conv_bn(x, filters, strides=2, name=f"{name}_{steps - 1}")


def _finest_head(x: KerasTensor, num_classes: int, width: int, images: KerasTensor) -> KerasTensor:
    for index in range(2):
        x = upsample(x, 2, interpolation="nearest", name=f"dec{index}_up")
        x = _conv_bn_relu(x, width, name=f"dec{index}")
    return class_scores(x, num_classes, like=images, use_bias=False)


def _joined_head(
    branches: Sequence[KerasTensor], num_classes: int, images: KerasTensor
) -> KerasTensor:
    maps = [upsample(x, 2**index, name=f"dec_up{index}") for index, x in enumerate(branches)]
    x = layers.Concatenate(name="dec_concat")(maps)
    x = _conv_bn_relu(x, x.shape[-1], 1, name="dec")
    return class_scores(x, num_classes, like=images, factor=4)
