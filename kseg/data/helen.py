"""Helen, faces in 11 classes, in the folders of its small version (512x512).

Le, Brandt, Lin, Bourdev, Huang, "Interactive facial feature localization", 2012; the classes are
those of Smith, Zhang, Brandt, Lin, Yang, "Exemplar-based face parsing", 2013.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.folders import open_folders

CLASS_NAMES = (
    "background",
    "skin",
    "left eyebrow",
    "right eyebrow",
    "left eye",
    "right eye",
    "nose",
    "upper lip",
    "inner mouth",
    "lower lip",
    "hair",
)


def open_helen(name: str, folder: Path) -> Dataset:
    """List the samples of `train_image`, `train_label`, `test_image` and `test_label`.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    return replace(open_folders(name, folder), class_names=CLASS_NAMES)
