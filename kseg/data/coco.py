"""COCO annotations: polygons and run-length codes in one JSON file per part.

Lin et al., "Microsoft COCO: common objects in context", 2014, arXiv:1405.0312.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kseg.data.coco_file import CocoFile, Picture, read_coco
from kseg.data.coco_shapes import draw_shapes
from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.pairing import complete_parts

_ALIASES = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
_ONE_FILE = (
    "annotations/instances_default.json",
    "annotations/instances.json",
    "annotations/annotations.json",
    "_annotations.coco.json",
    "annotations.json",
)


class Pictures(dict[Path, Picture]):
    """What is drawn on each image; it describes itself in one line, whatever its size."""

    def __repr__(self) -> str:
        """Return the number of images."""
        return f"Pictures({len(self)} images)"


@dataclass(frozen=True)
class CocoDataset(Dataset):
    """A data set whose label files are COCO's JSON.

    Attributes:
        pictures: Size and annotations of each image.
    """

    pictures: Mapping[Path, Picture] = field(default_factory=Pictures)

    def load_mask(self, files: SampleFiles) -> np.ndarray:
        """Draw the label map `(H, W)` uint8 of a sample, see `draw_shapes`.

        Raises:
            ValueError: A segmentation is damaged.
        """
        picture = self.pictures[files.image]
        return draw_shapes(picture.shapes, picture.size, self.void)


def is_coco_layout(folder: Path) -> bool:
    """Tell whether a folder has annotation files where COCO and programs that write it put them."""
    return bool(_find(folder, "train")) or _one_file(folder) is not None


def open_coco(name: str, folder: Path) -> CocoDataset:
    """List the samples; label 0 is background, and the categories follow in the order of their ids.

    The files are `annotations/instances_train*.json` (or `train*.json` there, or
    `train/_annotations.coco.json`), the same for val and test. Images are looked for in the folders
    `train2017` (as the JSON is called), `images/train2017`, `train`, `images/train`, `images`, and
    beside the JSON. Without files for validation and testing the last tenth of the training images
    is held out; of the two, one may be missing and is the other then. A category called
    background is label 0.

    Raises:
        ValueError: A file or an image is missing, or the JSON is no such file.
    """
    found = {part: _find(folder, part) for part in _ALIASES}
    twice = next((paths for paths in found.values() if len(paths) > 1), None)
    if twice:
        raise ValueError(f"{twice[0]}: there is {twice[1].name} too; leave one of them")
    single = _one_file(folder)
    if not found["train"] and single is None:
        raise ValueError(f"{folder / 'annotations'}: there is no instances_train*.json")
    files = {part: paths[0] for part, paths in found.items() if paths}
    if single is not None and not found["train"]:
        files = {"train": single}
    return _dataset(name, {part: read_coco(path, folder, part) for part, path in files.items()})


def _find(folder: Path, part: str) -> list[Path]:
    for alias in _ALIASES[part]:
        for pattern in (f"instances_{alias}*.json", f"{alias}*.json"):
            if paths := sorted((folder / "annotations").glob(pattern)):
                return paths
        if (path := folder / alias / "_annotations.coco.json").is_file():
            return [path]
    return []


def _one_file(folder: Path) -> Path | None:
    return next((folder / place for place in _ONE_FILE if (folder / place).is_file()), None)


def _dataset(name: str, read: Mapping[str, CocoFile]) -> CocoDataset:
    first = read["train"]
    for one in read.values():
        if one.class_names != first.class_names:
            raise ValueError(f"{one.path}: its categories are not those of {first.path}")
    samples = {
        part: [SampleFiles(image, one.path) for image in one.pictures] for part, one in read.items()
    }
    pictures = Pictures()
    for one in read.values():
        pictures.update(one.pictures)
    parts, names = complete_parts(samples), first.class_names
    return CocoDataset(name, *parts, names, ignore_class=VOID, pictures=pictures)
