"""Files of a corrected copy: those of the original where they are right, else new ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from kseg.data.checks.repair import Repaired
from kseg.data.checks.samples import Inspected
from kseg.data.dataset import Dataset
from kseg.data.io import IMAGE_SUFFIXES, write_image, write_mask
from kseg.data.orientation import upright
from kseg.palette import class_palette

_CONVERTED = {"cmyk": "converted from CMYK to RGB"}
# The EXIF orientation that undoes another one; the others undo themselves.
_INVERSE = {6: 8, 8: 6}


def copy_image(
    dataset: Dataset, one: Inspected, folder: Path, stem: str, labelled: tuple[int, ...]
) -> str:
    """Write the image of a sample and return what was done to it, "" for an exact copy.

    Args:
        dataset: How its files are read.
        one: The sample.
        folder: Where to write.
        stem: Name without extension.
        labelled: Height and width of its label map.
    """
    note = _what_to_do(one, labelled)
    is_file_of_its_own = (
        one.item.files.page is None and one.image.file.suffix.lower() in IMAGE_SUFFIXES
    )
    if not note and is_file_of_its_own:
        # Without its times: the copy is new.
        shutil.copyfile(one.image.file, folder / f"{stem}{one.image.file.suffix.lower()}")
        return ""
    image = dataset.load_image(one.item.files)
    if labelled != one.image.size:
        image = upright(image, _INVERSE.get(one.image.orientation, one.image.orientation))
    if image.dtype == np.uint8 and image.shape[-1] in (1, 3, 4):
        write_image(folder / f"{stem}.png", image[..., 0] if image.shape[-1] == 1 else image)
    else:
        np.save(folder / f"{stem}.npy", image)
    return note or "saved as a file of its own"


def _what_to_do(one: Inspected, labelled: tuple[int, ...]) -> str:
    if labelled != one.image.size:
        return "EXIF orientation dropped, as the label map lies"
    if one.image.orientation > 1:
        return "turned upright as its EXIF orientation says"
    kinds = [finding.kind for finding in one.image.findings]
    return next((_CONVERTED[kind] for kind in kinds if kind in _CONVERTED), "")


def copy_labels(dataset: Dataset, one: Inspected, path: Path, repaired: Repaired) -> None:
    """Write the label map of a sample as PNG; the file itself where it needs no change."""
    files, labels = one.item.files, repaired.labels
    decoded_otherwise = (dataset.relabel, dataset.colours, files.valid, files.page)
    as_it_is = not repaired.note and all(value is None for value in decoded_otherwise)
    if as_it_is and files.mask is not None and files.mask.suffix.lower() == ".png":
        shutil.copyfile(files.mask, path)
    elif labels is not None:
        write_mask(path, labels, class_palette())
