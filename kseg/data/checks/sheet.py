"""The contact sheet of a check: what the files look like, those with faults first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from kseg.data.checks.mask_file import labels_or_fault
from kseg.data.checks.report import Report
from kseg.data.checks.samples import Inspected
from kseg.data.contact_sheet import draw_sheet
from kseg.data.dataset import Dataset
from kseg.palette import colorize, overlay

_COLUMNS = ("image", "label map", "overlay")
_LONGER_SIDE = 320
_MISSING = np.full((2, 2, 3), 200, np.uint8)


def check_sheet(report: Report, path: Path, count: int = 12) -> bool:
    """Write a PNG that shows samples with their label maps, and tell whether there were any.

    Half of the rows at most are samples with findings, one of each kind first; the others are
    taken evenly from the rest.

    Args:
        report: Result of a check.
        path: File to write.
        count: Most rows to show.
    """
    faults = _faults(report)
    chosen = _choose(report.samples, faults, count)
    if not chosen:
        return False
    rows = [_row(report.listing.dataset, one) for one in chosen]
    names = [_line(one, faults[one.image.file] + faults[one.mask.file]) for one in chosen]
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(path, _COLUMNS, rows, names)
    return True


def _faults(report: Report) -> dict[Path | None, list[str]]:
    faults: dict[Path | None, list[str]] = defaultdict(list)
    for finding in report.findings:
        faults[finding.file].append(finding.kind)
    return faults


def _choose(
    samples: Sequence[Inspected], faults: dict[Path | None, list[str]], count: int
) -> list[Inspected]:
    first_of_kind, other_bad, good = [], [], []
    seen: set[str] = set()
    for one in samples:
        kinds = {*faults[one.image.file], *faults[one.mask.file]}
        if not kinds:
            good.append(one)
        elif kinds <= seen:
            other_bad.append(one)
        else:
            seen |= kinds
            first_of_kind.append(one)
    bad = [*first_of_kind, *other_bad][: max(count // 2, count - len(good))]
    left = count - len(bad)
    places = np.linspace(0, len(good) - 1, min(left, len(good))).round().astype(int)
    return [*bad, *(good[place] for place in places)]


def _line(one: Inspected, kinds: Sequence[str]) -> str:
    name = f"{one.item.split}: {one.item.files.name}"
    line = f"{name} ({', '.join(kinds)})" if kinds else name
    # The font has no letters of Asian scripts.
    return line.encode("latin-1", "replace").decode("latin-1")


def _row(dataset: Dataset, one: Inspected) -> list[np.ndarray]:
    image = None if one.image.size is None else _rgb(dataset.load_image(one.item.files))
    labels, _, _ = labels_or_fault(dataset, one.item.files)
    mask = None if labels is None else _small(np.clip(labels, 0, 255).astype(np.uint8))
    mixed = None
    if image is not None and mask is not None and image.shape[:2] == mask.shape:
        void = np.where(mask == dataset.void, 0, mask)
        mixed = overlay(image, void)
    views = (image, None if mask is None else colorize(mask), mixed)
    return [_MISSING if view is None else view for view in views]


def _rgb(image: np.ndarray) -> np.ndarray:
    """Return something to look at from an image of any number of bands."""
    bands = image[..., :3] if image.shape[-1] >= 3 else np.repeat(image[..., :1], 3, axis=-1)
    return _small(np.ascontiguousarray(bands).astype(np.uint8), cv2.INTER_AREA)


def _small(picture: np.ndarray, interpolation: int = cv2.INTER_NEAREST) -> np.ndarray:
    scale = _LONGER_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = [max(1, round(length * scale)) for length in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=interpolation)
