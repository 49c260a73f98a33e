"""Overriding a data set's classes and channels by the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kseg.data.dataset import Dataset
from kseg.data.folders import default_class_names


def with_classes(dataset: Dataset, num_classes: int | None, ignore_class: int | None) -> Dataset:
    """Return the data set with another number of classes or ignored label; None keeps its own.

    Names beyond the data set's own are numbered. With fewer classes they are all numbered, since
    the names are of other classes then, as in a folder of VOC's layout with classes of its own.
    """
    names: Sequence[str] = dataset.class_names
    if num_classes is not None and num_classes != len(names):
        others = default_class_names(num_classes)
        names = (*names, *others[len(names) :]) if num_classes > len(names) else others
    ignored = dataset.ignore_class if ignore_class is None else ignore_class
    return replace(dataset, class_names=names, ignore_class=ignored)


def with_channels(dataset: Dataset, channels: int | None) -> Dataset:
    """Return the data set that reads images with `channels` channels; None keeps its own.

    Raises:
        ValueError: `channels` is below 1.
    """
    if channels is None:
        return dataset
    if channels < 1:
        raise ValueError(f"--image_channels must be at least 1, got {channels}")
    return replace(dataset, channels=channels)
