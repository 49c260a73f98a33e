"""Settings of `kseg predict`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kseg.config.checks import require_at_least
from kseg.config.parse import UsageError


@dataclass
class PredictConfig:
    """Segment images and write label masks, colour overlays or both.

    Args:
        model: Run folder (its best checkpoint is used) or `.keras` file.
        input: Image, or folder of images.
        output: Folder for the results; NAME_label.png and NAME_overlay.jpg are written there.
        save: What to write: "all", "label" (8-bit palette PNG of class numbers) or "overlay".
        blend: Strength of the colours in the overlay, 0..1.
        batch_size: Images of equal size per step.
    """

    model: str = "weights/exp1/unet"
    input: str = "data/parts/test_image"
    output: str = "data/output"
    save: Literal["all", "label", "overlay"] = "all"
    blend: float = 0.5
    batch_size: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 1, "batch_size")
        if not 0 <= self.blend <= 1:
            raise UsageError(f"--blend must be in 0..1, got {self.blend}")
