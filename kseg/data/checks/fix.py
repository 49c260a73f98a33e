"""A corrected copy of a data set in plain folders; the original is never touched."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

import yaml

from kseg.data.checks.copying import copy_image, copy_labels
from kseg.data.checks.duplicates import find_repeated
from kseg.data.checks.label_values import Classes
from kseg.data.checks.listing import ALL
from kseg.data.checks.repair import Repaired, repair_labels
from kseg.data.checks.report import Report
from kseg.data.checks.samples import Inspected
from kseg.data.dataset import VOID
from kseg.data.description import FILE_NAME

# Findings about files that belong to no sample.
_NO_SAMPLE = {"missing_label", "missing_image", "same_stem"}

Note = tuple[Path, str]


@dataclass
class Fixed:
    """What became of a data set.

    Attributes:
        folder: The copy.
        ignore_class: Label that counts nowhere in the copy, or None.
        samples: Samples in each part of it.
        changed: Files that differ from the original, and how.
        left_out: Files that are not in the copy, and why.
        names: Folders and stems of the files in it.
    """

    folder: Path
    ignore_class: int | None = None
    samples: Counter[str] = field(default_factory=Counter)
    changed: list[Note] = field(default_factory=list)
    left_out: list[Note] = field(default_factory=list)
    names: set[tuple[str, str]] = field(default_factory=set)

    def as_dict(self) -> dict[str, object]:
        """Return everything as JSON types."""
        return {
            "folder": str(self.folder),
            "ignore_class": self.ignore_class,
            "samples": dict(self.samples),
            "changed": [{"file": str(file), "note": note} for file, note in self.changed],
            "left_out": [{"file": str(file), "note": note} for file, note in self.left_out],
        }


def check_target(target: Path, folder: Path) -> None:
    """Raise ValueError where the copy must not go: into something, or into the data set."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} exists and is not an empty folder: give another one for --fix")
    if target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{target} is inside the data set {folder}: give another one for --fix")


def write_fixed(report: Report, target: Path) -> Fixed:
    """Write a copy of a data set without what the check found, as far as that can be known.

    Folders are `train_image`, `train_label` and so on, or `images` and `labels` where the data set
    has no parts; `dataset.yaml` names the classes. The copy appears complete or not at all.

    Args:
        report: Result of the check.
        target: Folder to write; it must not exist or be empty.

    Raises:
        ValueError: The target holds something or lies in the data set, there are more than 255
            classes, or no sample is left.
    """
    check_target(target, report.listing.folder)
    if report.classes.count > VOID:
        raise ValueError(
            f"--fix writes 8-bit label maps, which cannot hold {report.classes} and 255"
        )
    undeclared = any(finding.kind == "undeclared_void" for finding in report.findings)
    fixed = Fixed(target, VOID if undeclared else report.classes.ignored)
    for finding in report.findings:
        if finding.kind in _NO_SAMPLE and finding.file is not None:
            fixed.left_out.append((finding.file, finding.value))
    parent = target.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=parent) as temporary:
        draft = Path(temporary) / "copy"
        _write_samples(report, draft, fixed)
        if not fixed.samples:
            raise ValueError(f"{report.listing.folder}: nothing in it can be mended, see the table")
        _describe(report, draft, fixed)
        if target.exists():
            target.rmdir()
        draft.rename(target)
    return fixed


def _write_samples(report: Report, draft: Path, fixed: Fixed) -> None:
    repeated = find_repeated(report.samples)
    classes = replace(report.classes, ignored=fixed.ignore_class)
    for one in report.samples:
        kept = repeated.get(one.item)
        if kept is None:
            _write_sample(report, one, classes, draft, fixed)
        else:
            sentence = f"it is the same image as {kept.image.file.name} ({kept.item.split})"
            fixed.left_out.append((one.image.file, sentence))


def _write_sample(
    report: Report, one: Inspected, classes: Classes, draft: Path, fixed: Fixed
) -> None:
    dataset = report.listing.dataset
    repaired = repair_labels(dataset, one, classes)
    problem = _problem(one, repaired)
    if problem is not None or repaired.labels is None:
        fixed.left_out += [] if problem is None else [problem]
        return
    images, labels = _folders(draft, one.item.split)
    stem = _free_name(fixed.names, images.name, one.item.files.name)
    note = copy_image(dataset, one, images, stem, repaired.labels.shape)
    copy_labels(dataset, one, labels / f"{stem}.png", repaired)
    fixed.samples[one.item.split] += 1
    fixed.changed += [(one.image.file, note)] if note else []
    fixed.changed += [(one.mask.file, repaired.note)] if repaired.note else []
    if fixed.ignore_class is None and (repaired.labels == VOID).any():
        fixed.ignore_class = VOID


def _problem(one: Inspected, repaired: Repaired) -> Note | None:
    """Return the file for which a sample cannot be used, and why."""
    if one.image.size is None:
        return one.image.file, one.image.findings[0].value
    if repaired.labels is None:
        return one.mask.file, repaired.note
    if repaired.labels.shape not in (one.image.size, one.image.raw_size):
        return one.mask.file, "its size is not that of its image"
    return None


def _folders(draft: Path, split: str) -> tuple[Path, Path]:
    names = ("images", "labels") if split == ALL else (f"{split}_image", f"{split}_label")
    images, labels = (draft / name for name in names)
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(exist_ok=True)
    return images, labels


def _free_name(taken: set[tuple[str, str]], folder: str, stem: str) -> str:
    """Return the stem, numbered where files of several folders have the same, and take it."""
    numbered = (f"{stem}_{number}" for number in count(2))
    free = next(name for name in chain([stem], numbered) if (folder, name) not in taken)
    taken.add((folder, free))
    return free


def _describe(report: Report, draft: Path, fixed: Fixed) -> None:
    described: dict[str, object] = {"class_names": list(report.class_names)}
    if fixed.ignore_class is not None:
        described["ignore_class"] = fixed.ignore_class
    if report.listing.dataset.channels != 3:
        described["channels"] = report.listing.dataset.channels
    (draft / FILE_NAME).write_text(yaml.safe_dump(described, sort_keys=False), "utf-8")
