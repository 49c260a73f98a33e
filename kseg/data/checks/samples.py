"""Image and label map of one sample: each alone, and whether they lie upon each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kseg.data.checks.finding import Finding
from kseg.data.checks.image_file import ImageFacts, inspect_image
from kseg.data.checks.label_values import Classes, judge_mask
from kseg.data.checks.listing import Item
from kseg.data.checks.mask_file import MaskFacts, inspect_mask
from kseg.data.dataset import Dataset

Size = tuple[int, int]


@dataclass(frozen=True)
class Inspected:
    """A sample and the facts of its files."""

    item: Item
    image: ImageFacts
    mask: MaskFacts


def inspect(dataset: Dataset, item: Item) -> Inspected:
    """Decode both files of a sample."""
    return Inspected(item, inspect_image(dataset, item.files), inspect_mask(dataset, item.files))


def judge(one: Inspected, classes: Classes) -> Iterator[Finding]:
    """Yield what is wrong with a sample."""
    for finding in _judge(one, classes):
        yield with_page(finding, one)


def with_page(finding: Finding, one: Inspected) -> Finding:
    """Return a finding that names the page of a file with several."""
    page = one.item.files.page
    return finding if page is None else replace(finding, value=f"page {page}: {finding.value}")


def _judge(one: Inspected, classes: Classes) -> Iterator[Finding]:
    yield from one.image.findings
    yield from judge_mask(one.mask, classes)
    if one.image.size is not None and one.mask.size is not None:
        yield from _judge_sizes(one.image, one.mask, one.image.size, one.mask.size)


def _judge_sizes(
    image: ImageFacts, mask: MaskFacts, seen: Size, labelled: Size
) -> Iterator[Finding]:
    if labelled == seen:
        if image.orientation > 1:
            sentence = f"its EXIF orientation is {image.orientation}"
            yield Finding("exif_rotation", image.file, sentence)
    elif labelled == image.raw_size:
        sentence = (
            f"EXIF orientation {image.orientation} makes it {_text(seen)}, the label map is "
            f"{_text(labelled)}"
        )
        yield Finding("exif_mismatch", image.file, sentence)
    else:
        sentence = f"it is {_text(labelled)}, its image {_text(seen)} (width x height)"
        yield Finding("size_mismatch", mask.file, sentence)


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
