"""Draw the example picture of docs/benchmarks.md: what the rows of a table see in test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from augmentation_pictures import titled
from data_pictures import beside
from jsonargparse import auto_cli

from kseg.data.io import write_image
from kseg.data.registry import open_dataset
from kseg.inference import Predictor
from kseg.palette import overlay

PICTURE = Path(__file__).parent / "images" / "benchmarks_examples.jpg"
SIDE = 160
_COLUMNS = 5


def main(
    runs: Sequence[str],
    images: Sequence[int] = (0, 7),
    data_root: str = "data",
    name: str = "parts",
) -> None:
    """Write one picture with a block for each image: itself, its truth, and each run's labels.

    Args:
        runs: Run folders of `benchmarks/run_table.py`, as `weights/tables/.../unet/unet`.
        images: Numbers of test images, chosen before anything was drawn.
        data_root: Folder that holds the data set.
        name: Name of the data set; the picture is published, so its licence must allow that.
    """
    dataset = open_dataset(name, data_root)
    samples = [dataset.test[number] for number in images]
    pictures = [dataset.load_image(sample) for sample in samples]
    blocks = [
        [picture, overlay(picture, dataset.load_mask(sample))]
        for picture, sample in zip(pictures, samples, strict=True)
    ]
    titles = ["image", "truth"]
    for run in runs:
        titles.append(Path(run).parent.name)
        for block, picture, labels in zip(
            blocks, pictures, Predictor.load(run).predict(pictures), strict=True
        ):
            block.append(overlay(picture, labels))
    write_image(PICTURE, np.concatenate([drawn(block, titles) for block in blocks]))


def drawn(views: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Return views under their titles, in rows."""
    small = [cv2.resize(view, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for view in views]
    named = [titled(view, title) for view, title in zip(small, titles, strict=True)]
    missing = -len(named) % _COLUMNS
    named += [np.full_like(named[0], 255)] * missing
    starts = range(0, len(named), _COLUMNS)
    return np.concatenate([beside(named[start : start + _COLUMNS]) for start in starts])


if __name__ == "__main__":
    auto_cli(main)
