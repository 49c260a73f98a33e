"""What all label maps together say about the classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kseg.data.check import WRITE_ONE, ClassCounts
from kseg.data.checks.finding import Finding, listed
from kseg.data.checks.label_values import Classes, value_fault
from kseg.data.checks.mask_file import MaskFacts
from kseg.data.checks.samples import Inspected
from kseg.data.dataset import VOID

# So many label maps with labels beyond the last class speak for a wrong number of classes.
_MANY = 0.5
# Stricter than for one file: what lies between others in every image may still be real.
_MOSTLY_ON_EDGES = 0.95


@dataclass(frozen=True)
class ClassUse:
    """How much label maps show of each class.

    Attributes:
        counts: Pixels of each class, and pixels of the images that show it.
        images: Images that show each class, int64 `(num_classes,)`.
        between: Its pixels above one neighbour and below another, int64 `(num_classes,)`.
    """

    counts: ClassCounts
    images: np.ndarray
    between: np.ndarray


def class_use(masks: Sequence[MaskFacts], classes: Classes) -> ClassUse:
    """Add up what label maps show; those with wrong values are left out."""
    pixels, image_pixels, images, between = np.zeros((4, classes.count), np.int64)
    for mask in masks:
        if mask.stats is None or not is_right(mask, classes):
            continue
        chosen = classes.counts(mask.stats.values)
        labels = mask.stats.values[chosen]
        pixels[labels] += mask.stats.pixels[chosen]
        between[labels] += mask.stats.between[chosen]
        images[labels] += 1
        image_pixels[labels] += mask.stats.pixels[chosen].sum()
    return ClassUse(ClassCounts(pixels, image_pixels), images, between)


def is_right(mask: MaskFacts, classes: Classes) -> bool:
    """Tell whether training would take the label map."""
    return not mask.fault and mask.stats is not None and value_fault(mask.stats, classes) is None


def fitting_classes(masks: Sequence[MaskFacts], classes: Classes) -> Classes:
    """Return the classes that the label maps have, where many show more than there should be.

    Where a few do, these are taken to be wrong, and the classes stay.
    """
    faults = [
        (mask.stats, fault[0])
        for mask in masks
        if mask.stats is not None and not mask.fault
        for fault in [value_fault(mask.stats, classes)]
        if fault is not None
    ]
    beyond = [stats.values for stats, kind in faults if kind == "label_out_of_range"]
    if len(beyond) < max(_MANY * len(masks), 1):
        return classes
    labels = np.unique(np.concatenate(beyond))
    labels = labels[labels != VOID]
    # Grey tones such as 0, 128, 200 are no class numbers.
    if labels.min() < 0 or labels.max() >= min(2 * len(labels), VOID):
        return classes
    return replace(classes, count=int(labels.max()) + 1)


def judge_classes(
    samples: Sequence[Inspected], classes: Classes, names: Sequence[str]
) -> Iterator[Finding]:
    """Yield what is wrong with the classes as a whole.

    Args:
        samples: All samples.
        classes: The classes.
        names: Their names.
    """
    masks = [one.mask for one in samples]
    if not masks or sum(is_right(mask, classes) for mask in masks) < _MANY * len(masks):
        return  # what is missing may be in the label maps that have faults of their own
    everywhere = class_use(masks, classes)
    seen = everywhere.counts.pixels > 0
    if seen.sum() == 1 and seen[0] and classes.count > 1:
        white = f", and 255, which is ignored: if it is the object, {WRITE_ONE}"
        sentence = f"all {len(masks)} label maps show label 0 alone"
        sentence += white if _show_ignored_white(masks, classes) else ""
        yield Finding("nothing_labelled", None, sentence)
        return
    yield from _unseen(samples, classes, names, seen)
    yield from _interpolated(everywhere, names)


def _show_ignored_white(masks: Sequence[MaskFacts], classes: Classes) -> bool:
    found = (mask.stats for mask in masks if mask.stats is not None)
    return classes.ignored == VOID and any(VOID in stats.values for stats in found)


def _unseen(
    samples: Sequence[Inspected], classes: Classes, names: Sequence[str], seen: np.ndarray
) -> Iterator[Finding]:
    training = [one.mask for one in samples if one.item.split in ("train", "all")]
    learnt = class_use(training, classes).counts.pixels > 0
    highest = int(np.flatnonzero(seen).max(initial=0))
    if highest + 1 < classes.count and classes.ignored != classes.count - 1:
        sentence = f"there are {classes.count} classes, but the highest label is {highest}"
        yield Finding("too_many_classes", None, f"{sentence}: pass --n_classes {highest + 1}")
    for label in np.flatnonzero(~learnt[: highest + 1]).tolist():
        if label == classes.ignored:
            continue
        where = "training label map, but others do" if seen[label] else "label map"
        yield Finding("empty_class", None, f"no {where} shows class {label} ({names[label]})")


def _interpolated(use: ClassUse, names: Sequence[str]) -> Iterator[Finding]:
    pixels = use.counts.pixels
    suspicious = (pixels > 0) & (use.between >= _MOSTLY_ON_EDGES * pixels)
    for label in np.flatnonzero(suspicious).tolist():
        sentence = (
            f"{use.between[label]} of {pixels[label]} pixels of class {label} ({names[label]}) lie "
            "between a lower and a higher label, as interpolation leaves them"
        )
        yield Finding("interpolated_class", None, sentence)


def classes_sentence(before: Classes, after: Classes, masks: Sequence[MaskFacts]) -> str:
    """Return the sentence about a number of classes that is too small."""
    labels = {
        int(value)
        for mask in masks
        if mask.stats is not None and not mask.fault
        for value in mask.stats.values[after.counts(mask.stats.values)]
    }
    beyond = sorted(label for label in labels if label >= before.count)
    return (
        f"there are {before.count} classes, but most label maps have labels {listed(beyond)}: "
        f"pass --n_classes {after.count}"
    )
