"""Overriding a data set's classes by the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kseg.data.dataset import Dataset
from kseg.data.folders import default_class_names


def with_classes(dataset: Dataset, num_classes: int | None, ignore_class: int | None) -> Dataset:
    """Return the data set with another number of classes or ignored label; None keeps its own."""
    names: Sequence[str] = dataset.class_names
    if num_classes is not None and num_classes != len(names):
        names = (*names, *default_class_names(num_classes)[len(names) :])[:num_classes]
    ignored = dataset.ignore_class if ignore_class is None else ignore_class
    return replace(dataset, class_names=names, ignore_class=ignored)
