"""DRIVE: retinal vessels with a field of view; pixels outside it count nowhere.

Staal et al., "Ridge-based vessel segmentation in color images of the retina", 2004.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.pairing import pair_folders

VALIDATION_IMAGES = 4


def open_drive(name: str, folder: Path) -> Dataset:
    """List `training` and `test`; the last four training images choose the checkpoint.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    training, test = _part(folder / "training"), _part(folder / "test")
    return Dataset(
        name=name,
        train=training[:-VALIDATION_IMAGES],
        val=training[-VALIDATION_IMAGES:],
        test=test,
        class_names=("background", "vessel"),
        ignore_class=VOID,
        relabel=_to_binary,
    )


def _part(folder: Path) -> list[SampleFiles]:
    samples = pair_folders(folder / "images", folder / "1st_manual")
    fields = pair_folders(folder / "images", folder / "mask")
    return [
        replace(sample, valid=field.mask) for sample, field in zip(samples, fields, strict=True)
    ]


def _to_binary(mask: np.ndarray) -> np.ndarray:
    return (mask > 0).astype(np.uint8)
