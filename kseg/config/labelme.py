"""Settings of `kseg json_to_dataset`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kseg.config.checks import require_at_least, require_at_most


@dataclass
class LabelmeConfig:
    """Convert a folder of labelme JSON files to images and label maps.

    Args:
        json_dir: Folder of the JSON files, or of the folders `train`, `val` and `test` with them.
        output: Folder to write to.
        layout: "mask_png" (folders image and mask_png), "voc" (JPEGImages, SegmentationClass and
            ImageSets) or "folders" (train_image, train_label, ..., ready for training).
        labels: Text file with one class per line in the order of their numbers, background first;
            by default labels.txt or classes.txt in json_dir, else all labels sorted.
        images: Folder of the images, if they are not where the JSON files say.
        copy_images: Write the images too.
        val_ratio: Share of the files for validation, for layouts that have parts.
        test_ratio: Share of the files for the test.
        seed: Seed that deals the files out.
        ignore_class: Label of shapes named `__ignore__`.
        overwrite: Replace files that are there.
    """

    json_dir: str
    output: str = "data/labelme"
    layout: Literal["mask_png", "voc", "folders"] = "mask_png"
    labels: str | None = None
    images: str | None = None
    copy_images: bool = True
    val_ratio: float = 0.1
    test_ratio: float = 0.1
    seed: int = 0
    ignore_class: int = 255
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 0, "val_ratio", "test_ratio", "seed", "ignore_class")
        require_at_most(self, 255, "ignore_class")
