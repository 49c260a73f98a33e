"""One picture that shows what a model learned: image, truth, prediction and errors in rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kseg.data.dataset import Sample
from kseg.palette import overlay

COLUMNS = ("image", "truth", "prediction", "errors")
_INCHES = 2.4
_ERROR_COLOUR = np.array([255, 0, 0], np.uint8)


def contact_sheet(path: Path, shown: Sequence[tuple[Sample, np.ndarray]], void: int) -> None:
    """Write a PNG with one row per sample.

    Args:
        path: File to write.
        shown: Samples with labels, and their predicted label maps `(H, W)`.
        void: Label of pixels that do not count; it is no error and has no colour.
    """
    from matplotlib.figure import Figure

    figure = Figure((_INCHES * len(COLUMNS), _INCHES * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), len(COLUMNS), squeeze=False)
    for axis, title in zip(grid[0], COLUMNS, strict=True):
        axis.set_title(title)
    for axes, (sample, predicted) in zip(grid, shown, strict=True):
        for axis, picture in zip(axes, _row(sample, predicted, void), strict=True):
            axis.imshow(picture)
            axis.set_axis_off()
    figure.savefig(path, dpi=110)


def _row(sample: Sample, predicted: np.ndarray, void: int) -> list[np.ndarray]:
    counts = sample.labels != void
    truth = np.where(counts, sample.labels, 0)
    wrong = counts & (sample.labels != predicted)
    errors = np.where(wrong[..., None], _ERROR_COLOUR, sample.image // 2)
    return [
        sample.image,
        overlay(sample.image, truth),
        overlay(sample.image, predicted),
        errors.astype(np.uint8),
    ]
