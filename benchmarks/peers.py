"""Networks of PyTorch to compare ours with: a U-Net of the same shape, and those of smp."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import torch
from architectures import SAME_ARCHITECTURE, SMP
from torch import nn

_MOMENTUM, _EPSILON = 0.1, 1e-3
_COUNTER = "num_batches_tracked"


def build_peer(model: str, encoder: str | None, num_classes: int) -> nn.Module:
    """Build the network that a model of ours is compared with, with random weights."""
    if encoder is None:
        return PlainUNet(num_classes)
    name, backbone = SAME_ARCHITECTURE[model, encoder]
    network = getattr(importlib.import_module(SMP), name)
    return network(backbone, encoder_weights=None, classes=num_classes)


def declare_operators() -> torch.library.Library:
    """Declare what torchvision compiles, for a torchvision that was built for another PyTorch.

    No network here runs these operators, but without them torchvision cannot be imported. To be
    called before that, and the result to be kept.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights, moving statistics included, as Keras counts them."""
    counted = [*network.parameters()]
    counted += [tensor for name, tensor in network.named_buffers() if not name.endswith(_COUNTER)]
    return sum(tensor.numel() for tensor in counted)


class PlainUNet(nn.Module):
    """Our `unet` layer by layer: nearest upsampling, batch normalisation, a 3x3 head.

    Args:
        num_classes: Channels of the output.
        widths: Channels of each resolution, finest first.
    """

    def __init__(self, num_classes: int, widths: Sequence[int] = (32, 64, 128, 256, 512)):
        super().__init__()
        earlier = (3, *widths)
        self.down = nn.ModuleList(
            _double(before, width) for before, width in zip(earlier, widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.double_size = nn.Upsample(scale_factor=2, mode="nearest")
        upwards = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.ups = nn.ModuleList(_unit(before, width) for before, width in upwards)
        self.blocks = nn.ModuleList(_double(2 * width, width) for _, width in upwards)
        self.head = nn.Conv2d(widths[0], num_classes, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(N, C, H, W)` of images `(N, 3, H, W)`."""
        skips = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        for up, block in zip(self.ups, self.blocks, strict=True):
            x = block(torch.cat([skips.pop(), up(self.double_size(x))], dim=1))
        return self.head(x)


def _unit(before: int, width: int) -> nn.Sequential:
    norm = nn.BatchNorm2d(width, eps=_EPSILON, momentum=_MOMENTUM)
    return nn.Sequential(nn.Conv2d(before, width, 3, padding=1), norm, nn.ReLU(inplace=True))


def _double(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(_unit(before, width), _unit(width, width))
