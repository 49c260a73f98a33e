"""ISBI 2012: 30 slices of an electron microscopy stack, cells (white) and membranes (black).

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", 2015.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.pairing import in_number_order, pair_folders, split_in_blocks
from kseg.data.tiff import count_pages

VALIDATION_SLICES = 4
TEST_SLICES = 6
VOLUME, LABELS = "train-volume.tif", "train-labels.tif"


def open_isbi(name: str, folder: Path) -> Dataset:
    """List the slices in blocks, since neighbours look alike: the last six are the test part.

    The slices are `images` and `labels`, a PNG each in the order of their numbers, or the TIFF
    files of the challenge with all slices as pages, `train-volume.tif` and `train-labels.tif`.
    Those of its test part have no labels.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    slices = (
        _pages(folder)
        if (folder / VOLUME).is_file()
        else in_number_order(pair_folders(folder / "images", folder / "labels"))
    )
    parts = split_in_blocks(slices, VALIDATION_SLICES, TEST_SLICES)
    return Dataset(name, *parts, class_names=("cell", "membrane"), relabel=_membrane_is_one)


def _pages(folder: Path) -> list[SampleFiles]:
    volume, labels = folder / VOLUME, folder / LABELS
    counts = count_pages(volume), count_pages(labels)
    if counts[0] != counts[1]:
        raise ValueError(f"{labels}: it has {counts[1]} pages but {VOLUME} has {counts[0]}")
    return [SampleFiles(volume, labels, page=page) for page in range(counts[0])]


def _membrane_is_one(mask: np.ndarray) -> np.ndarray:
    return (mask == 0).astype(np.uint8)
