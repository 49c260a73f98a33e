"""Settings of `kseg augmentation`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kseg.config.checks import require_at_least, require_at_most
from kseg.config.parse import UsageError


@dataclass
class AugmentationConfig:
    """Write augmented copies of images and their label maps with Augmentor.

    STEM.jpg and STEM.png become STEM_aug1.png, STEM_aug2.png, ... in two other folders. Most
    trainings do better with `--augment` of `kseg train`, which shows other copies in every epoch.

    Args:
        train_path: Folder of the images.
        mask_path: Folder of their label maps, of the same names up to the extension.
        augtrain_path: Folder for the augmented images.
        augtrain_mask: Folder for the augmented label maps.
        augmask_path: Another name for `augtrain_mask`.
        number: Copies of each image.
        seed: Seed of the changes.
        operations: Operations of Augmentor in their order, with the parameters of its methods, for
            example `--operations '{"rotate": {"probability": 0.7, "max_left_rotation": 10,
            "max_right_rotation": 10}}'`; docs/augmentation.md lists them. By default a rotation by
            up to 5 degrees, mirroring left to right, and a zoom into 0.8 of the sides, each with
            probability 0.5.
        ignore_class: Label of pixels that the source does not cover, as in the corners after
            rotate_without_crop; by default 255.
        image_format: Format of the augmented images; jpg is smaller and lossy.
        overwrite: Replace files that are there.
    """

    train_path: str = "data/parts/train_image"
    mask_path: str = "data/parts/train_label"
    augtrain_path: str = "data/parts_aug/train_image"
    augtrain_mask: str = "data/parts_aug/train_label"
    augmask_path: str | None = None
    number: int = 5
    seed: int = 0
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    ignore_class: int | None = None
    image_format: Literal["png", "jpg"] = "png"
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check the ranges, and keep the folder of the label maps in `augtrain_mask`."""
        require_at_least(self, 1, "number")
        require_at_least(self, 0, "seed", "ignore_class")
        require_at_most(self, 255, "ignore_class")
        if self.augmask_path is not None:
            if self.augtrain_mask not in (self.augmask_path, type(self).augtrain_mask):
                raise UsageError(
                    "--augtrain_mask and --augmask_path mean the same; give one of them"
                )
            self.augtrain_mask = self.augmask_path
