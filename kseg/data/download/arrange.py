"""From what is in an archive to a folder that its adapter opens.

An arrangement is a function `(unpacked, target)`: it moves what the data set needs from the folder
of an unpacked archive to the data set's folder. A data set of several archives calls it for each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kseg.data.download.errors import DownloadError
from kseg.data.io import read_mask

Arrange = Callable[[Path, Path], None]


def as_packed(unpacked: Path, target: Path) -> None:
    """Take everything, without the folders around it that hold nothing else."""
    while len(inside := list(unpacked.iterdir())) == 1 and inside[0].is_dir():
        unpacked = inside[0]
    move_into(unpacked, target)


def everything(unpacked: Path, target: Path) -> None:
    """Take everything as it is."""
    move_into(unpacked, target)


@dataclass(frozen=True)
class Pick:
    """Take some folders, or all as `as_packed` where the archive does not have these.

    Attributes:
        folders: Where each folder of the archive goes, "." for the data set's own folder. A "*"
            stands for a folder of any name.
        digits: Files named by numbers get names of so many digits, so that their order is theirs.
    """

    folders: Mapping[str, str]
    digits: int = 0

    def __call__(self, unpacked: Path, target: Path) -> None:
        """Move the folders."""
        found = {pattern: next(unpacked.glob(pattern), None) for pattern in self.folders}
        if None in found.values():
            as_packed(unpacked, target)
            return
        for pattern, folder in found.items():
            if folder is not None:
                self._pad_numbers(folder)
                move_into(folder, target / self.folders[pattern])

    def _pad_numbers(self, folder: Path) -> None:
        for path in list(folder.iterdir()) if self.digits else []:
            if path.stem.isdecimal():
                path.rename(path.with_name(path.stem.zfill(self.digits) + path.suffix))


def join_nuclei(unpacked: Path, target: Path) -> None:
    """Take images with a mask per nucleus, ID/images/ID.png and ID/masks/*.png, as one mask each.

    Archives without such files are taken as by `as_packed`.

    Raises:
        ValueError: An image has no masks, or they differ in size or cannot be read.
    """
    images = [
        path for path in sorted(unpacked.rglob("images/*.png")) if path.parents[1].name == path.stem
    ]
    if not images:
        as_packed(unpacked, target)
    for image in images:
        masks = [read_mask(path) > 0 for path in sorted(image.parents[1].glob("masks/*.png"))]
        if not masks or len({mask.shape for mask in masks}) > 1:
            raise DownloadError(f"{image.stem}: there are no masks, or they differ in size")
        for folder in ("images", "masks"):
            (target / folder).mkdir(parents=True, exist_ok=True)
        union = np.logical_or.reduce(masks).astype(np.uint8)
        Image.fromarray(union).save(target / "masks" / image.name)
        os.replace(image, target / "images" / image.name)


def move_into(source: Path, target: Path) -> None:
    """Move the files of a folder, with their folders, into another that may have some already."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if not path.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
