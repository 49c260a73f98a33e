"""DRIVE: retinal vessels with a field of view; pixels outside it count nowhere.

Staal et al., "Ridge-based vessel segmentation in color images of the retina", 2004.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.pairing import pair_folders, split_in_blocks

VALIDATION_IMAGES = 4


def open_drive(name: str, folder: Path) -> Dataset:
    """List `training` and `test`; the last four training images choose the checkpoint.

    Files belong together by the number before the first underscore, as in the distribution:
    `images/21_training.tif`, `1st_manual/21_manual1.gif`, `mask/21_training_mask.gif`. In a
    distribution without labels for `test`, the four validation images are the test part.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    parts = split_in_blocks(_part(folder / "training"), VALIDATION_IMAGES, 0)
    test = folder / "test"
    unlabelled = (test / "images").is_dir() and not (test / "1st_manual").is_dir()
    return Dataset(
        name=name,
        train=parts.train,
        val=parts.val,
        test=parts.val if unlabelled else _part(test),
        class_names=("background", "vessel"),
        ignore_class=VOID,
        relabel=_to_binary,
    )


def _part(folder: Path) -> list[SampleFiles]:
    samples = pair_folders(folder / "images", folder / "1st_manual", _number)
    fields = pair_folders(folder / "images", folder / "mask", _number)
    return [
        replace(sample, valid=field.mask) for sample, field in zip(samples, fields, strict=True)
    ]


def _number(path: Path) -> str:
    return path.stem.split("_")[0]


def _to_binary(mask: np.ndarray) -> np.ndarray:
    return (mask > 0).astype(np.uint8)
