"""What the shapes on the label maps mean: thin structures, objects to keep apart."""

from __future__ import annotations

from kseg.training.propose.facts import Facts

LONG = 15
"""Structures are thin that are so many times as long as wide."""

_NARROW_SHARE = 0.05
_NARROWEST = 6
_MANY_OBJECTS, _LARGE_OBJECT, _CLOSE = 5, 64, 0.3
_COMPACT = 6


def thin_classes(facts: Facts) -> list[int]:
    """Return the labels above 0 of classes that are lines: long, and narrow within the image."""
    limit = _NARROW_SHARE * min(facts.sizes.median)
    shapes = facts.shapes
    return [
        label
        for label in facts.classes.shown
        if label > 0 and shapes.elongations[label] >= LONG and 0 < shapes.widths[label] <= limit
    ]


def only_lines(facts: Facts) -> bool:
    """Tell whether all that is to be found are lines: vessels, cracks, roads, membranes."""
    wanted = [label for label in facts.classes.shown if label > 0]
    return bool(wanted) and wanted == thin_classes(facts)


def must_be_parted(facts: Facts) -> bool:
    """Tell whether there are many compact objects, a good part of them behind narrow gaps."""
    shapes = facts.shapes
    many = shapes.objects >= _MANY_OBJECTS and shapes.object_pixels >= _LARGE_OBJECT
    return many and shapes.close_share >= _CLOSE and 0 < _elongation(facts) <= _COMPACT


def lowest_scale(facts: Facts) -> float:
    """Return how far images may shrink before lines or gaps are lost, 0 for as far as you like."""
    if only_lines(facts):
        width = min(facts.shapes.widths[label] for label in thin_classes(facts))
        return min(1.0, _NARROWEST / width)
    return 1.0 if must_be_parted(facts) else 0.0


def _elongation(facts: Facts) -> float:
    """Return the mean elongation of the classes above 0, by their pixels."""
    pixels, values = facts.classes.pixels[1:], facts.shapes.elongations[1:]
    return sum(p * v for p, v in zip(pixels, values, strict=True)) / max(sum(pixels), 1)
