"""PASCAL VOC's layout: JPEGImages, SegmentationClass, ImageSets/Segmentation/*.txt.

Everingham et al., "The PASCAL visual object classes challenge: a retrospective", 2015. The
additional labels (SegmentationClassAug) are those of Hariharan et al., "Semantic contours from
inverse detectors", 2011.
"""

from __future__ import annotations

from pathlib import Path

from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.folders import default_class_names
from kseg.data.pairing import Parts, by_key, complete_parts
from kseg.data.paths import read_text, text_lines

IMAGES, MASKS, MORE_MASKS = "JPEGImages", "SegmentationClass", "SegmentationClassAug"
LISTS = "ImageSets/Segmentation"
_TRAIN_LISTS_AUG = (
    "ImageSets/SegmentationAug/train_aug.txt",
    "ImageSets/SegmentationAug/train.txt",
    f"{LISTS}/train_aug.txt",
    f"{LISTS}/trainaug.txt",
)
CLASS_NAMES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv",
)


def is_voc_layout(folder: Path) -> bool:
    """Tell whether a folder looks like this layout."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def places(*years: str) -> tuple[str, ...]:
    """Return where the folders of some years may be in a data root."""
    names = [f"VOC{year}" for year in years]
    return (*names, *(f"VOCdevkit/{name}" for name in names))


def find_voc(folder: Path) -> Path:
    """Return the year's folder: the given one, VOC2007, VOC2012, or the first inside.

    Raises:
        ValueError: There is no folder of this layout.
    """
    inside = [
        folder,
        *(folder / place for place in places("2007", "2012")),
        *sorted(folder.glob("*/")),
    ]
    found = next((place for place in inside if is_voc_layout(place)), None)
    if found is None:
        raise ValueError(f"{folder}: there are no folders {IMAGES} and {MASKS} in it")
    return found


def open_voc(name: str, folder: Path) -> Dataset:
    """List the samples of the year's folder; label 255, the border of objects, counts nowhere.

    - A name that begins with "voc" has VOC's 21 classes, others have two until
      `--n_classes`, a `dataset.yaml` or a table of classes says more.
    - With `SegmentationClassAug` the label maps are taken from there where they are, and the
      training list is `train_aug.txt` (or `trainaug.txt`) if there is one.
    - Without `val.txt` and `test.txt` the last tenth of the training list is held out. Of the two
      one may be missing, empty or, as the test part of VOC2012, without label maps; it is the
      other then.

    Raises:
        ValueError: There is no training list, or a file that a list names is missing.
    """
    parts = _parts(folder)
    is_voc = name.lower().startswith("voc")
    names = CLASS_NAMES if is_voc else default_class_names(2)
    return Dataset(name, *parts, names, ignore_class=VOID)


def _parts(folder: Path) -> Parts:
    train_list = _train_list(folder)
    train = _samples(folder, train_list)
    val, test = (_samples(folder, folder / LISTS / f"{part}.txt") for part in ("val", "test"))
    if not train:
        raise ValueError(f"{train_list}: the list is empty")
    return complete_parts({"train": train, "val": val, "test": test})


def _train_list(folder: Path) -> Path:
    more = _TRAIN_LISTS_AUG if (folder / MORE_MASKS).is_dir() else ()
    # CVAT exports one list, default.txt.
    candidates = [folder / place for place in (*more, f"{LISTS}/train.txt", f"{LISTS}/default.txt")]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise ValueError(
            f"{candidates[-2]}: there is no list of training images; write one by "
            f"tools/voc_annotation.py --VOCdevkit_path {folder}"
        )
    return found


def _samples(folder: Path, path: Path) -> list[SampleFiles]:
    """Return the samples of a list; none where it is missing, or for test images without labels."""
    lines = text_lines(read_text(path)) if path.is_file() else []
    images, masks = by_key(folder / IMAGES), _masks(folder)
    ids = [(number, _id(line, images)) for number, line in lines]
    if ids and path.stem == "test" and not any(one in masks for _, one in ids):
        return []
    for number, one in ids:
        for kind, files in ((IMAGES, images), (MASKS, masks)):
            if one not in files:
                raise ValueError(f"{path}: line {number}: there is no {one!r:.80} in {kind}")
    return [SampleFiles(images[one], masks[one]) for _, one in ids]


def _id(line: str, images: dict[str, Path]) -> str:
    """Return the id that a line names: all of it, its first word, or the stem of a path there.

    Lists of the additional labels often hold `/JPEGImages/ID.jpg /SegmentationClassAug/ID.png`.
    Ids are looked up among the files of the folder, so no line leads out of it.
    """
    if line in images:
        return line
    word = line.split()[0]
    inside = word.replace("\\", "/").lstrip("/").removeprefix(f"{IMAGES}/")
    return inside.rsplit(".", 1)[0] if inside != word else word


def _masks(folder: Path) -> dict[str, Path]:
    more = by_key(folder / MORE_MASKS) if (folder / MORE_MASKS).is_dir() else {}
    return {**by_key(folder / MASKS), **more}
