"""Checking a whole data set: all faults at once, not the first alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from kseg.data.checks.class_use import (
    class_use,
    classes_sentence,
    fitting_classes,
    judge_classes,
)
from kseg.data.checks.duplicates import exact_duplicates, near_duplicates
from kseg.data.checks.finding import Finding
from kseg.data.checks.label_values import Classes
from kseg.data.checks.listing import ALL, Item, Listing, list_samples
from kseg.data.checks.report import Report, in_order
from kseg.data.checks.samples import Inspected, inspect, judge, with_page
from kseg.data.classes import with_classes
from kseg.data.count_cache import CountCache
from kseg.data.label_counts import LabelCount

_SHOW_PROGRESS_FROM = 500


@dataclass(frozen=True)
class CheckOptions:
    """What to check.

    Attributes:
        name: Name of the adapter, see `list_datasets`; by default the folder's name.
        num_classes: Number of classes, by default the data set's own.
        ignore_class: Label that counts nowhere, by default the data set's own.
        near: Look for images that nearly equal one of another part, too.
        workers: Threads.
        cache: Keep the pixel counts beside the data, so that training need not count again.
    """

    name: str | None = None
    num_classes: int | None = None
    ignore_class: int | None = None
    near: bool = True
    workers: int = 2
    cache: bool = True


def check_folder(folder: str | Path, options: CheckOptions | None = None) -> Report:
    """Look at every file of a data set and collect everything that is wrong.

    Args:
        folder: Folder of the data set.
        options: What to check.

    Raises:
        ValueError: There is no data set in the folder.
    """
    options = options or CheckOptions()
    listing = list_samples(Path(folder), options.name, options.num_classes, options.ignore_class)
    samples = _inspect_all(listing, options.workers)
    if options.cache:
        _keep_counts(listing, samples)
    given = Classes(listing.dataset.num_classes, listing.dataset.ignore_class)
    masks = [one.mask for one in samples]
    classes = fitting_classes(masks, given)
    names = with_classes(listing.dataset, classes.count, None).class_names
    findings = [*listing.findings]
    if classes != given:
        findings.append(Finding("wrong_n_classes", None, classes_sentence(given, classes, masks)))
    findings += (finding for one in samples for finding in judge(one, classes))
    of_classes = list(judge_classes(samples, classes, names))
    if any(finding.kind == "nothing_labelled" for finding in of_classes):
        findings = [finding for finding in findings if finding.kind != "all_background"]
    findings += of_classes
    findings += _unlike_the_others(samples)
    findings += exact_duplicates(samples)
    if options.near:
        findings += near_duplicates(listing.dataset, samples)
    training = [one.mask for one in samples if one.item.split in ("train", ALL)]
    return Report(
        listing, classes, names, samples, in_order(findings), class_use(training, classes)
    )


def _inspect_all(listing: Listing, workers: int) -> list[Inspected]:
    def work(item: Item) -> Inspected:
        return inspect(listing.dataset, item)

    total = len(listing.items)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        inspected = pool.map(work, listing.items)
        # None shows the bar in a terminal alone.
        hidden = True if total < _SHOW_PROGRESS_FROM else None
        return list(tqdm(inspected, "checking files", total, unit="sample", disable=hidden))


def _keep_counts(listing: Listing, samples: Sequence[Inspected]) -> None:
    """Write what was counted to the file that training looks at first."""
    kept = CountCache(listing.dataset)
    for one in samples:
        stats = one.mask.stats
        sound = one.image.digest and one.image.size == one.mask.size and not one.mask.fault
        if sound and stats is not None:
            kept.put(one.item.files, LabelCount(stats.values, stats.pixels, one.image.digest))
    kept.save()


def _unlike_the_others(samples: Sequence[Inspected]) -> Iterator[Finding]:
    """Yield the 16-bit images among 8-bit ones, or the other way round."""
    read = [one for one in samples if one.image.size is not None]
    deep = [one for one in read if one.image.deep]
    flat = [one for one in read if not one.image.deep]
    if not deep or not flat:
        return
    few, bits, others = (deep, 16, 8) if len(deep) <= len(flat) else (flat, 8, 16)
    for one in few:
        sentence = f"it has {bits} bits per channel, most images have {others}"
        yield with_page(Finding("sixteen_bit", one.image.file, sentence), one)
