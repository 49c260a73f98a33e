"""Which samples a data set has, also where it cannot be opened for training."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kseg.data.checks.finding import Finding
from kseg.data.checks.layouts import FolderPair, find_layout, pair_files
from kseg.data.checks.opening import open_folder, open_whole_samples
from kseg.data.classes import with_classes
from kseg.data.coco import is_coco_layout
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.description import described
from kseg.data.folders import default_class_names
from kseg.data.labelme import is_labelme_folder
from kseg.data.lists import is_list_layout
from kseg.data.registry import list_datasets

ALL = "all"


@dataclass(frozen=True)
class Item:
    """A sample and its part: "train", "val", "test", or "all" where there are no parts."""

    split: str
    files: SampleFiles


@dataclass(frozen=True)
class Listing:
    """A data set as far as it can be listed.

    Attributes:
        folder: Where it is.
        dataset: How its files are read and which classes it has; its lists of samples may be empty.
        items: Its samples, each once for every part that has it.
        findings: What is wrong with folders and names.
    """

    folder: Path
    dataset: Dataset
    items: Sequence[Item]
    findings: Sequence[Finding]


def list_samples(
    folder: Path, name: str | None, num_classes: int | None, ignore_class: int | None
) -> Listing:
    """List the samples of a data set.

    Args:
        folder: Folder of the data set.
        name: Name of an adapter, see `list_datasets`; by default the folder's name.
        num_classes: Number of classes, by default the data set's own.
        ignore_class: Label that counts nowhere, by default the data set's own.

    Raises:
        ValueError: The folder is not there or holds no data set.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder; give the folder of a data set")
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(folder))  # its name is that of the data set
    try:
        dataset = open_folder(folder, name or folder.name)
        items, findings = list(_items(dataset)), list[Finding]()
    except ValueError as error:
        dataset, items, findings = _list_the_rest(folder, name, str(error))
    return Listing(folder, with_classes(dataset, num_classes, ignore_class), items, findings)


def _items(dataset: Dataset) -> Iterator[Item]:
    """Yield the samples part by part, one part under two names once."""
    parts: dict[tuple[SampleFiles, ...], str] = {}
    for split in ("train", "test", "val"):
        parts.setdefault(tuple(dataset.splits[split]), split)
    for samples, split in parts.items():
        yield from (Item(split, files) for files in samples)


def _list_the_rest(
    folder: Path, name: str | None, message: str
) -> tuple[Dataset, list[Item], list[Finding]]:
    """List what fits together in a data set that cannot be opened."""
    layout = find_layout(folder)
    if not layout and not _is_data_set(folder):
        raise ValueError(message)
    findings: list[Finding] = []
    items: list[Item] = []
    for pair in layout:
        samples, wrong = pair_files(folder, pair)
        items += [Item(pair.split, files) for files in samples]
        findings += wrong
    name = name or folder.name
    dataset = open_whole_samples(
        folder, name, layout, {(i.split, i.files.image.stem) for i in items}
    )
    if dataset is not None:
        return dataset, list(_items(dataset)), findings
    if not findings and (name in list_datasets() or not _has_no_adapter(layout)):
        findings.append(Finding("cannot_open", folder, message.removeprefix(f"{folder}: ")))
    dataset = Dataset(name, (), (), (), default_class_names(2))
    return _described(dataset, folder, findings), items, findings


def _is_data_set(folder: Path) -> bool:
    """Tell whether a folder is a data set in one file or by lists, which cannot be taken apart."""
    return is_list_layout(folder) or is_coco_layout(folder) or is_labelme_folder(folder)


def _has_no_adapter(layout: Sequence[FolderPair]) -> bool:
    """Tell whether these are folders that can be looked at, but not be trained on as they are."""
    return [pair.lists for pair in layout if pair.split == ALL] == [""]


def _described(dataset: Dataset, folder: Path, findings: list[Finding]) -> Dataset:
    try:
        return described(dataset, folder)
    except ValueError as error:
        if not any(finding.kind == "cannot_open" for finding in findings):
            findings.append(Finding("cannot_open", folder, str(error)))
        return dataset
