"""Draw the picture of docs/medical.md: a slice that was held out, and the cells found in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from augmentation_pictures import titled
from data_pictures import beside
from jsonargparse import auto_cli

from kseg.data.classes import with_channels
from kseg.data.io import write_image
from kseg.data.registry import open_dataset
from kseg.inference import Predictor
from kseg.metrics import membrane_instances, thin_borders
from kseg.palette import as_picture

IMAGE = Path(__file__).parent / "images" / "medical.jpg"
SIDE = 256


def main(run: str, data_root: str = "data", slice_number: int = 0) -> None:
    """Write the picture.

    Args:
        run: A run of `train_medical.py` on ISBI 2012.
        data_root: Folder that holds the data set.
        slice_number: Number of the slice in the test part.
    """
    predictor = Predictor.load(run)
    dataset = with_channels(open_dataset("isbi", data_root), predictor.channels)
    sample = dataset.load(dataset.test[slice_number])
    membrane = predictor.probabilities([sample.image])[0][..., 1]
    scores = json.loads((Path(run) / "evaluation" / "cells.json").read_text("utf-8"))
    found = thin_borders(membrane_instances(membrane, scores["threshold"]))
    true = membrane_instances(sample.labels == 1)
    views = {
        "slice held out": as_picture(sample.image),
        "membrane, probability": as_picture(255 * membrane[..., None]),
        "cells found": coloured(matched(found, true)),
        "true cells": coloured(true),
    }
    parts = [titled(view[:SIDE, :SIDE], title) for title, view in views.items()]
    write_image(IMAGE, beside(parts))


def matched(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the cells found, each with the number of the true cell that it covers most of."""
    inside = (found > 0) & (true > 0)
    overlaps = np.zeros((int(found.max()) + 1, int(true.max()) + 1), np.int64)
    np.add.at(overlaps, (found[inside], true[inside]), 1)
    return overlaps.argmax(axis=1)[found]


def coloured(cells: np.ndarray) -> np.ndarray:
    """Return numbered cells in bright colours, black between them, RGB."""
    colours = np.random.default_rng(4).integers(64, 256, (int(cells.max()) + 1, 3), np.uint8)
    colours[0] = 0
    return colours[cells]


if __name__ == "__main__":
    auto_cli(main)
