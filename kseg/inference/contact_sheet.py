"""One picture that shows what a model learned: image, truth, prediction and errors in rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kseg.data.contact_sheet import draw_sheet
from kseg.data.dataset import Sample
from kseg.palette import as_picture, overlay

COLUMNS = ("image", "truth", "prediction", "errors")
_ERROR_COLOUR = np.array([255, 0, 0], np.uint8)


def contact_sheet(path: Path, shown: Sequence[tuple[Sample, np.ndarray]], void: int) -> None:
    """Write a PNG with one row per sample.

    Args:
        path: File to write.
        shown: Samples with labels, and their predicted label maps `(H, W)`.
        void: Label of pixels that do not count; it is no error and has no colour.
    """
    draw_sheet(path, COLUMNS, [_row(sample, predicted, void) for sample, predicted in shown])


def _row(sample: Sample, predicted: np.ndarray, void: int) -> list[np.ndarray]:
    counts = sample.labels != void
    truth = np.where(counts, sample.labels, 0)
    wrong = counts & (sample.labels != predicted)
    image = as_picture(sample.image)
    errors = np.where(wrong[..., None], _ERROR_COLOUR, image // 2)
    return [image, overlay(image, truth), overlay(image, predicted), errors.astype(np.uint8)]
