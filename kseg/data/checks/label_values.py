"""What the values of one label map say about how it was saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from kseg.data.checks.finding import Finding, listed
from kseg.data.checks.mask_file import MaskFacts
from kseg.data.checks.values import ValueStats
from kseg.data.dataset import VOID
from kseg.palette import class_palette

WHITE = ((0, 255), (0, 65535))
# Smoothing leaves most of its values on edges; the areas keep most of the pixels.
_MOSTLY_ON_EDGES = 0.8
_MOSTLY_AREAS = 0.5
# Beyond these PASCAL VOC has no class, and different colours share a grey tone.
_GREY_TONES = 21
_DARKEST_TONE = 38


@dataclass(frozen=True)
class Classes:
    """Which labels are right.

    Attributes:
        count: Number of classes.
        ignored: Label that counts nowhere, or None.
    """

    count: int
    ignored: int | None

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Tell of each value whether it is a class or ignored."""
        classes = (values >= 0) & (values < self.count)
        return classes if self.ignored is None else classes | (values == self.ignored)

    def counts(self, values: np.ndarray) -> np.ndarray:
        """Tell of each value whether it is a class that counts."""
        classes = (values >= 0) & (values < self.count)
        return classes if self.ignored is None else classes & (values != self.ignored)

    def __str__(self) -> str:
        """Return the right labels as "0..3 or 255"."""
        extra = "" if self.ignored is None else f" or {self.ignored}"
        return f"0..{self.count - 1}{extra}"


def judge_mask(facts: MaskFacts, classes: Classes) -> Iterator[Finding]:
    """Yield what is wrong with a label map."""
    if facts.fault:
        yield Finding(facts.fault, facts.file, facts.value)
        return
    if facts.grey_as_colour:
        yield Finding("grey_as_colour", facts.file, "its channels are equal")
    if facts.stats is None:
        return
    fault = value_fault(facts.stats, classes)
    if fault is not None:
        yield Finding(fault[0], facts.file, fault[1])
    else:
        yield from _nothing_to_learn(facts, facts.stats, classes)


def value_fault(stats: ValueStats, classes: Classes) -> tuple[str, str] | None:
    """Return the kind of a label map's fault and its sentence, or None where all labels are right.

    The most specific explanation of the wrong values is taken.
    """
    wrong = stats.values[~classes.allows(stats.values)]
    if not wrong.size:
        return None
    explanations: tuple[Callable[[ValueStats, Classes], tuple[str, str] | None], ...] = (
        _binary_255,
        _grey_palette,
        _antialiased,
        _undeclared_void,
    )
    for explain in explanations:
        fault = explain(stats, classes)
        if fault is not None:
            return fault
    pixels = stats.pixels[~classes.allows(stats.values)].sum()
    sentence = f"label values {listed(wrong)} ({pixels} pixels) are not in {classes}"
    return "label_out_of_range", sentence


def _binary_255(stats: ValueStats, classes: Classes) -> tuple[str, str] | None:
    values = set(stats.values.tolist())
    if any(values <= set(scale) for scale in WHITE):
        return "binary_255", f"its values are {listed(stats.values)}, not {classes}"
    return None


def _grey_palette(stats: ValueStats, classes: Classes) -> tuple[str, str] | None:
    labels = labels_of_grey_tones(stats.values, classes)
    if labels is None:
        return None
    sentence = (
        f"its values {listed(stats.values)} are the grey tones of the palette colours of labels "
        f"{listed(labels)}"
    )
    return "grey_palette", sentence


def labels_of_grey_tones(values: np.ndarray, classes: Classes) -> np.ndarray | None:
    """Return the labels whose PASCAL VOC colours have these grey tones, or None if not all do."""
    labels = np.arange(min(classes.count, _GREY_TONES))
    if classes.ignored == VOID:
        labels = np.append(labels, VOID)
    tones = np.asarray(Image.fromarray(class_palette()[labels][None]).convert("L"))[0]
    # Of two labels of one tone the first: no more can be known.
    known, first = np.unique(tones, return_index=True)
    if values.max() < _DARKEST_TONE or not np.isin(values, known).all():
        return None
    return labels[first[np.searchsorted(known, values)]]


def _antialiased(stats: ValueStats, classes: Classes) -> tuple[str, str] | None:
    targets = unsmoothed_values(stats, classes)
    if targets is None:
        return None
    smoothed = ~np.isin(stats.values, targets)
    sentence = (
        f"{smoothed.sum()} values between labels on {stats.pixels[smoothed].sum()} edge pixels: "
        f"{listed(stats.values[smoothed])}"
    )
    return "antialiased", sentence


def unsmoothed_values(stats: ValueStats, classes: Classes) -> np.ndarray | None:
    """Return the values that a smoothed label map had before, ascending.

    They are labels, or else 0 and white. None is returned where the other values are not what
    smoothing would leave: on edges, between the values beside them.
    """
    scales = (stats.values[classes.allows(stats.values)], *map(np.array, WHITE))
    return next((scale for scale in scales if _explains(stats, scale)), None)


def _explains(stats: ValueStats, scale: np.ndarray) -> bool:
    wrong = ~np.isin(stats.values, scale)
    highest = int(stats.values.max())
    # Smoothing gives nothing beyond its values; of white at least a light grey is left.
    if not wrong.any() or len(scale) < 2 or not scale[-1] / 2 < highest <= scale[-1]:
        return False
    on_edges = stats.between[wrong].sum() / stats.pixels[wrong].sum()
    return on_edges >= _MOSTLY_ON_EDGES and stats.share(~wrong) >= _MOSTLY_AREAS


def _undeclared_void(stats: ValueStats, classes: Classes) -> tuple[str, str] | None:
    wrong = ~classes.allows(stats.values)
    if stats.values[wrong].tolist() != [VOID]:
        return None
    return "undeclared_void", f"{stats.pixels[wrong][0]} pixels are 255, which is not in {classes}"


def _nothing_to_learn(facts: MaskFacts, stats: ValueStats, classes: Classes) -> Iterator[Finding]:
    seen = stats.values[classes.counts(stats.values)]
    if seen.size == 0:
        yield Finding("all_void", facts.file, f"all its pixels are {classes.ignored}")
    elif seen.tolist() == [0] and classes.count > 1:
        yield Finding("all_background", facts.file, "every pixel that counts is 0")
