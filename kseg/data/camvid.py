"""CamVid in the layout that SegNet's authors published: 11 classes and void.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video", 2009.
"""

from __future__ import annotations

from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.pairing import pair_folders

CLASS_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
VOID_CLASS = 11


def open_camvid(name: str, folder: Path) -> Dataset:
    """List train, val and test with their `...annot` folders.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    train, val, test = (
        pair_folders(folder / part, folder / f"{part}annot") for part in ("train", "val", "test")
    )
    return Dataset(name, train, val, test, CLASS_NAMES, ignore_class=VOID_CLASS)
