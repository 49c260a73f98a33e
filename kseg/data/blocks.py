"""Data sets of one folder of images and one of label maps, split in blocks by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.pairing import in_number_order, pair_folders, split_in_blocks


@dataclass(frozen=True)
class Blocks:
    """An adapter: call it with a name and a folder.

    Attributes:
        images: Folder of the images.
        masks: Folder of the label maps.
        class_names: Names of labels 0, 1, ...
        held_out: A part of `1 / held_out` of the samples is for testing, the same for validation.
    """

    images: str
    masks: str
    class_names: Sequence[str]
    held_out: int = 10

    def __call__(self, name: str, folder: Path) -> Dataset:
        """List the samples.

        Raises:
            ValueError: A folder is missing, or files have no partner.
        """
        samples = in_number_order(pair_folders(folder / self.images, folder / self.masks))
        count = max(1, len(samples) // self.held_out)
        return Dataset(name, *split_in_blocks(samples, count, count), self.class_names)


# Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl",
# 2019. The names of the images are hashes, so blocks of them are random.
open_dsb2018 = Blocks("images", "masks", ("background", "nucleus"), held_out=5)

# Tiles of one scanned volume, numbered in its order: blocks keep neighbours together.
open_digital_rock = Blocks(
    "JPEGImages", "SegmentationClass", ("phase 0", "phase 1", "phase 2", "phase 3")
)
