"""CamVid, as SegNet's authors published it (11 classes and void) or in its 32 colours.

Brostow, Fauqueur, Cipolla, "Semantic object classes in video", 2009.
"""

from __future__ import annotations

from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.pairing import Key, Parts, pair_folders, stem_of

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

# The authors' table; void comes last here, so that the labels of the classes have no gap.
CLASS_COLOURS = {
    "animal": (64, 128, 64),
    "archway": (192, 0, 128),
    "bicyclist": (0, 128, 192),
    "bridge": (0, 128, 64),
    "building": (128, 0, 0),
    "car": (64, 0, 128),
    "cart, luggage, pram": (64, 0, 192),
    "child": (192, 128, 64),
    "column, pole": (192, 192, 128),
    "fence": (64, 64, 128),
    "lane marking, driving": (128, 0, 192),
    "lane marking, other": (192, 0, 64),
    "misc. text": (128, 128, 64),
    "motorcycle, scooter": (192, 0, 192),
    "other moving": (128, 64, 64),
    "parking block": (64, 192, 128),
    "pedestrian": (64, 64, 0),
    "road": (128, 64, 128),
    "road shoulder": (128, 128, 192),
    "sidewalk": (0, 0, 192),
    "sign": (192, 128, 128),
    "sky": (128, 128, 128),
    "SUV, pickup": (64, 128, 192),
    "traffic cone": (0, 0, 64),
    "traffic light": (0, 64, 64),
    "train": (192, 64, 128),
    "tree": (128, 128, 0),
    "truck, bus": (192, 128, 192),
    "tunnel": (64, 0, 64),
    "vegetation": (192, 192, 0),
    "wall": (64, 192, 0),
    "void": (0, 0, 0),
}


def open_camvid(name: str, folder: Path) -> Dataset:
    """List train, val and test with their folders of label maps.

    `trainannot`, ... hold the numbers of 11 classes and void. `train_labels`, ... hold the 32
    colours, in files `NAME_L.png` or `NAME.png`: 31 classes and void, unless a `class_dict.csv`
    in the folder orders them otherwise.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    if not (folder / "train_labels").is_dir():
        parts = _parts(folder, "annot", stem_of)
        return Dataset(name, *parts, CLASS_NAMES, ignore_class=VOID_CLASS)
    *names, _ = CLASS_COLOURS
    colours = tuple(CLASS_COLOURS.values())
    parts = _parts(folder, "_labels", _frame)
    return Dataset(name, *parts, names, ignore_class=len(names), colours=colours)


def _parts(folder: Path, ending: str, key: Key) -> Parts:
    parts = ("train", "val", "test")
    return Parts(*(pair_folders(folder / part, folder / f"{part}{ending}", key) for part in parts))


def _frame(path: Path) -> str:
    return path.stem.removesuffix("_L")
