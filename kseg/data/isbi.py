"""ISBI 2012: 30 slices of an electron microscopy stack, cells (white) and membranes (black).

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", 2015.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kseg.data.dataset import Dataset
from kseg.data.pairing import pair_folders

VALIDATION_SLICES = 4
TEST_SLICES = 6


def open_isbi(name: str, folder: Path) -> Dataset:
    """List the slices in blocks, since neighbours look alike: the last six are the test part.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    slices = pair_folders(folder / "images", folder / "labels")
    first_test = len(slices) - TEST_SLICES
    first_val = first_test - VALIDATION_SLICES
    if first_val < 1:
        raise ValueError(f"{folder}: needs more than {TEST_SLICES + VALIDATION_SLICES} slices")
    return Dataset(
        name=name,
        train=slices[:first_val],
        val=slices[first_val:first_test],
        test=slices[first_test:],
        class_names=("cell", "membrane"),
        relabel=_membrane_is_one,
    )


def _membrane_is_one(mask: np.ndarray) -> np.ndarray:
    return (mask == 0).astype(np.uint8)
