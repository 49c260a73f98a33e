"""Settings of `kseg parts`."""

from __future__ import annotations

from dataclasses import dataclass

from kseg.config.checks import require_at_least, require_at_most


@dataclass
class PartsConfig:
    """Draw the data set `parts`: small machine parts on textured ground, with their labels.

    Args:
        output: Folder to write; it must not hold anything yet.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        multiclass: One class per kind of part instead of one for all.
        train: Number of training images.
        val: Number of validation images.
        test: Number of test images.
        seed: Seed of the drawings.
        clutter: Strength of the ground's texture and of the things that are no parts, 0 to 1.
        magnification: How much larger than usual the parts are, 1 or more.
    """

    output: str = "data/parts"
    height: int = 224
    width: int = 224
    multiclass: bool = False
    train: int = 160
    val: int = 20
    test: int = 40
    seed: int = 0
    clutter: float = 1.0
    magnification: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 32, "height", "width")
        require_at_least(self, 0, "train", "val", "test", "seed", "clutter")
        require_at_least(self, 1, "magnification")
        require_at_most(self, 1, "clutter")
