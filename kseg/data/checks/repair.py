"""The label map that a faulty file was meant to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kseg.data.checks.finding import listed
from kseg.data.checks.label_values import (
    WHITE,
    Classes,
    labels_of_grey_tones,
    unsmoothed_values,
    value_fault,
)
from kseg.data.checks.mask_file import labels_or_fault, raw_picture
from kseg.data.checks.samples import Inspected
from kseg.data.checks.snap import lossy_targets, snap
from kseg.data.checks.values import value_stats
from kseg.data.colours import labels_of_colours
from kseg.data.dataset import Dataset
from kseg.data.io import read_mask
from kseg.palette import class_palette


@dataclass(frozen=True)
class Repaired:
    """A label map as it should be.

    Attributes:
        labels: `(H, W)`, or None where it cannot be known.
        note: What was done, or why nothing could be; "" where the file is right.
    """

    labels: np.ndarray | None
    note: str = ""


@dataclass(frozen=True)
class _Values:
    """Values of a file without its fault.

    Attributes:
        values: `(H, W)`.
        note: What was done.
        white: They are 0 and a white that stands for 1.
        unclear: Pixels that could be either of two, bool `(H, W)`.
    """

    values: np.ndarray
    note: str
    white: bool = False
    unclear: np.ndarray | None = None


def repair_labels(dataset: Dataset, one: Inspected, classes: Classes) -> Repaired:
    """Return the right label map of a sample.

    Args:
        dataset: How its files are read.
        one: The sample.
        classes: The right labels; with `dataset.void` among them, unless nothing is unclear.
    """
    values, fault, sentence = labels_or_fault(dataset, one.item.files)
    refused = bool(fault)
    if values is not None and not refused:
        found = value_fault(value_stats(values), classes)
        if found is None:
            return Repaired(values, "saved with one channel" if one.mask.grey_as_colour else "")
        fault, sentence = found
    mended = _mend(one, values, fault, classes)
    if mended is None:
        return Repaired(None, sentence)
    labels = _labels(dataset, one, mended, refused)
    wrong = np.unique(labels[~classes.allows(labels) & (labels != dataset.void)])
    if wrong.size:
        return Repaired(None, f"{sentence}, and labels {listed(wrong)} are not in {classes}")
    return Repaired(labels, mended.note)


def _mend(
    one: Inspected, values: np.ndarray | None, fault: str, classes: Classes
) -> _Values | None:
    if fault == "colour_mask":
        return _by_colours(one)
    if values is None:
        return None
    if fault == "binary_255":
        return _Values(values, f"1 instead of 255 at {(values > 0).sum()} pixels", white=True)
    if fault == "grey_palette":
        return _by_grey_tones(values, classes)
    if fault in ("jpeg_mask", "antialiased"):
        return _snapped(values, fault, classes)
    return None


def _by_colours(one: Inspected) -> _Values | None:
    picture = raw_picture(one.mask.file)
    colours = [(int(r), int(g), int(b)) for r, g, b in class_palette()]
    try:
        if picture is None or picture.ndim < 3 or picture.shape[-1] < 3:
            return None
        labels = labels_of_colours(picture[..., :3], colours, one.mask.file)
    except ValueError:
        return None
    return _Values(labels, "labels of the colours of PASCAL VOC")


def _by_grey_tones(values: np.ndarray, classes: Classes) -> _Values | None:
    tones, places = np.unique(values, return_inverse=True)
    labels = labels_of_grey_tones(tones, classes)
    if labels is None:
        return None
    return _Values(labels[places].reshape(values.shape), "labels of the palette's grey tones")


def _snapped(values: np.ndarray, fault: str, classes: Classes) -> _Values | None:
    stats = value_stats(values)
    if fault == "jpeg_mask":
        targets = lossy_targets(stats, classes)
    else:
        targets = unsmoothed_values(stats, classes)
    if targets is None:
        return None
    result = snap(values, targets)
    note = f"{result.changed} pixels snapped to {listed(targets)}"
    if result.unclear.any():
        note += f", {result.unclear.sum()} of them in the middle of two are ignored"
    white = set(targets.tolist()) <= set(WHITE[0]) and not classes.allows(targets).all()
    return _Values(result.values, note, white, result.unclear)


def _labels(dataset: Dataset, one: Inspected, mended: _Values, refused: bool) -> np.ndarray:
    """Do to mended values what the data set does to values of a file that it can read."""
    labels = mended.values
    if refused and dataset.relabel is not None:
        labels = dataset.relabel(labels)
    elif mended.white:
        labels = (labels > 0).astype(np.uint8)
    if mended.unclear is not None:
        labels = np.where(mended.unclear, dataset.void, labels)
    if refused and one.item.files.valid is not None:
        labels = np.where(read_mask(one.item.files.valid) > 0, labels, dataset.void)
    return labels
