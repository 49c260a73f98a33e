"""Images that are there twice: equal pixels, or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from kseg.data.checks.finding import Finding
from kseg.data.checks.image_file import thumbnail
from kseg.data.checks.listing import ALL, Item
from kseg.data.checks.samples import Inspected, with_page
from kseg.data.dataset import Dataset

# Of equal images the one in the first of these parts stays: what is held out must not change.
_KEPT_FIRST = ("test", "val", "train", ALL)
# Root mean square of the difference over the standard deviation of grey values. On photographs,
# micrographs and tomograms JPEG of quality 50 and half the size stay below 0.25 at 16x16 and below
# 0.17 at 128x128 fields; different images have 0.16 or more, frames of a standing camera 0.03.
_CLOSE_COARSE, _CLOSE_FINE = 0.12, 0.12
_FINE = 128
_CHUNK = 1024


def find_repeated(samples: Sequence[Inspected]) -> dict[Item, Inspected]:
    """Return the samples whose decoded pixels another one has, each with the one that stays."""
    first: dict[str, Inspected] = {}
    repeated: dict[Item, Inspected] = {}
    for one in sorted(samples, key=lambda s: _KEPT_FIRST.index(s.item.split)):
        kept = first.setdefault(one.image.digest, one) if one.image.digest else one
        if kept is not one:
            repeated[one.item] = kept
    return repeated


def exact_duplicates(samples: Sequence[Inspected]) -> Iterator[Finding]:
    """Yield every image that another one equals, whatever the file formats."""
    repeated = find_repeated(samples)
    for one in samples:
        kept = repeated.get(one.item)
        if kept is None:
            continue
        across = kept.item.split != one.item.split
        labels = "" if _same_labels(one, kept) else ", but their label maps differ"
        sentence = f"its pixels are those of {_name(kept)}{labels}"
        kind = "duplicate_across" if across else "duplicate_within"
        yield with_page(Finding(kind, one.image.file, sentence), one)


def _same_labels(one: Inspected, other: Inspected) -> bool:
    a, b = one.mask.stats, other.mask.stats
    if a is None or b is None:
        return a is b
    return np.array_equal(a.values, b.values) and np.array_equal(a.pixels, b.pixels)


def _name(one: Inspected) -> str:
    page = "" if one.item.files.page is None else f" page {one.item.files.page}"
    return f"{one.item.split}: {one.image.file.name}{page}"


def near_duplicates(dataset: Dataset, samples: Sequence[Inspected]) -> Iterator[Finding]:
    """Yield images that nearly equal one of another part: saved with loss, scaled, the next frame.

    Small pictures of all are compared first, and the closest pairs then in more detail.
    """
    repeated = find_repeated(samples)
    usable = [s for s in samples if s.image.thumbnail is not None and s.item not in repeated]
    for split, others in (("train", ("val", "test")), ("val", ("test",))):
        here = [one for one in usable if one.item.split == split]
        there = [one for one in usable if one.item.split in others]
        for one, other in _closest(here, there):
            difference = _difference(*(_grey(dataset, s, _FINE) for s in (one, other)))
            if difference < _CLOSE_FINE:
                sentence = f"it differs from {_name(other)} by {difference:.1%} of its contrast"
                yield with_page(Finding("near_duplicate", one.image.file, sentence), one)


def _closest(
    here: Sequence[Inspected], there: Sequence[Inspected]
) -> Iterator[tuple[Inspected, Inspected]]:
    """Yield each image with the closest of another part where the small pictures are close."""
    if not here or not there:
        return
    targets = _stack(there)
    deviations = targets.std(axis=1)
    for start in range(0, len(here), _CHUNK):
        rows = _stack(here[start : start + _CHUNK])
        squares = np.square(rows).mean(1)[:, None] + np.square(targets).mean(1)
        products = rows @ targets.T * (2 / rows.shape[1])
        distances = np.sqrt(np.maximum(squares - products, 0))
        scale = np.minimum(rows.std(axis=1)[:, None], deviations)
        relative = distances / np.maximum(scale, 1e-3)
        for row, column in enumerate(relative.argmin(axis=1)):
            if relative[row, column] < _CLOSE_COARSE:
                yield here[start + row], there[column]


def _stack(samples: Sequence[Inspected]) -> np.ndarray:
    pictures = [s.image.thumbnail for s in samples if s.image.thumbnail is not None]
    return np.stack(pictures).reshape(len(samples), -1)


def _grey(dataset: Dataset, one: Inspected, size: int) -> np.ndarray:
    return thumbnail(dataset.load_image(one.item.files), size)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    scale = max(min(float(one.std()), float(other.std())), 1e-3)
    return float(np.sqrt(np.square(one - other).mean())) / scale
