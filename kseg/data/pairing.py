"""Finding images and the label files that belong to them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kseg.data.dataset import SampleFiles
from kseg.data.io import IMAGE_SUFFIXES

Key = Callable[[Path], str]

_END_NUMBER = re.compile(r"[0-9]+\Z")


class Parts(NamedTuple):
    """The samples of a data set's three parts."""

    train: list[SampleFiles]
    val: list[SampleFiles]
    test: list[SampleFiles]


def list_images(folder: Path) -> list[Path]:
    """Return the image files of a folder in the order of their names.

    Raises:
        ValueError: No such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        raise ValueError(f"{folder}: there is no image in this folder")
    return files


def stem_of(path: Path) -> str:
    """Return a file's name up to the extension: what image and label map share."""
    return path.stem


def pair_folders(images: Path, masks: Path, key: Key = stem_of) -> list[SampleFiles]:
    """Pair the images of one folder with the label maps of another.

    Args:
        images: Folder of the images.
        masks: Folder of the label maps.
        key: What an image and its label map have in common, by default the stem.

    Raises:
        ValueError: A file without partner, or two files of one key.
    """
    image_files, mask_files = by_key(images, key), by_key(masks, key)
    _check_partners(image_files, mask_files, masks, "label map")
    _check_partners(mask_files, image_files, images, "image")
    return [SampleFiles(path, mask_files[stem]) for stem, path in image_files.items()]


def in_number_order(samples: Sequence[SampleFiles]) -> list[SampleFiles]:
    """Sort the slices of a stack by the numbers that end their names: 2 comes before 10.

    Names that differ in more than that number are left in their order.
    """
    starts = {_END_NUMBER.sub("", files.name) for files in samples}
    if len(starts) != 1:
        return list(samples)
    (start,) = starts
    return sorted(samples, key=lambda files: int(files.name[len(start) :] or -1))


def split_in_blocks(samples: Sequence[SampleFiles], val: int, test: int) -> Parts:
    """Split samples in their order: the last `test` are held out, and `val` before them.

    Neighbours in a stack or a film look alike, so a random split would test on what was learnt.

    Raises:
        ValueError: Nothing is left to learn from.
    """
    first_test = len(samples) - test
    first_val = first_test - val
    if first_val < 1:
        where = samples[0].image.parent if samples else "this data set"
        raise ValueError(f"{where}: {len(samples)} images are too few, {val + test} are held out")
    return Parts(
        list(samples[:first_val]),
        list(samples[first_val:first_test]),
        list(samples[first_test:] if test else samples[first_val:]),
    )


def hold_out_tenth(samples: Sequence[SampleFiles]) -> Parts:
    """Split samples that come without a validation part: the last tenth is validation and test.

    Raises:
        ValueError: There is only one sample.
    """
    return split_in_blocks(samples, val=math.ceil(len(samples) / 10), test=0)


def complete_parts(found: Mapping[str, list[SampleFiles]]) -> Parts:
    """Return the three parts of a data set that may have fewer.

    Of validation and test part one may be missing and is the other then; without both the last
    tenth of the training samples is held out, see `hold_out_tenth`.

    Raises:
        ValueError: There is nothing to learn from.
    """
    train, val, test = (list(found.get(part, [])) for part in ("train", "val", "test"))
    return Parts(train, val or test, test or val) if val or test else hold_out_tenth(train)


def by_key(folder: Path, key: Key = stem_of) -> dict[str, Path]:
    """Return the image files of a folder by their keys, sorted by name.

    Raises:
        ValueError: No such folder, no image in it, or two files of one key.
    """
    files: dict[str, Path] = {}
    for path in list_images(folder):
        one = key(path)
        if one in files:
            raise ValueError(
                f"{path}: another file has the same name up to the extension, "
                f"{files[one].name}; remove one"
            )
        files[one] = path
    return files


def _check_partners(
    files: dict[str, Path], partners: dict[str, Path], folder: Path, kind: str
) -> None:
    alone = [(key, path) for key, path in files.items() if key not in partners]
    if alone:
        key, path = alone[0]
        more = f" (and {len(alone) - 1} more files have none)" if len(alone) > 1 else ""
        raise ValueError(f"{path}: no {kind} named {key}.* in {folder}{more}")
