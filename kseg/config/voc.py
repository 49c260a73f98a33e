"""Settings of `kseg voc_annotation`."""

from __future__ import annotations

from dataclasses import dataclass

from kseg.config.checks import require_at_least, require_at_most


@dataclass
class VocAnnotationConfig:
    """Write VOC's lists of training, validation and test images, and look at the label maps.

    Args:
        VOCdevkit_path: Folder that holds JPEGImages and SegmentationClass, or the folder VOCdevkit
            with VOC2007 or VOC2012 in it. ImageSets/Segmentation/train.txt, val.txt, trainval.txt
            and test.txt are written there.
        trainval_percent: Share of the images that is for training and validation, 0 to 1; the
            rest is for testing.
        train_percent: Share of those that is for training, 0 to 1; the rest is for validation.
        seed: Seed of the drawing.
        overwrite: Replace lists that are there already.
    """

    VOCdevkit_path: str = "VOCdevkit"  # noqa: N815  (the founding project's spelling)
    trainval_percent: float = 1.0
    train_percent: float = 0.9
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 0, "trainval_percent", "train_percent", "seed")
        require_at_most(self, 1, "trainval_percent", "train_percent")
