"""Results that are a picture of the size of the image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from kseg.data.io import write_image, write_mask
from kseg.inference.outputs.base import Look, Result
from kseg.palette import as_picture, class_palette, colorize, overlay

Draw = Callable[[np.ndarray, np.ndarray, Look], np.ndarray]


def draw_colour(image: np.ndarray, labels: np.ndarray, look: Look) -> np.ndarray:
    """Return the colours of the classes, RGB."""
    return colorize(labels)


def draw_overlay(image: np.ndarray, labels: np.ndarray, look: Look) -> np.ndarray:
    """Return the image with the colours of the classes mixed in, RGB."""
    return overlay(image, labels, look.blend, look.background)


def draw_cutout(image: np.ndarray, labels: np.ndarray, look: Look) -> np.ndarray:
    """Return the objects of the image, black and transparent where the background is: RGBA."""
    objects = np.full(labels.shape, True) if look.background is None else labels != look.background
    colours = np.where(objects[..., None], as_picture(image), 0)
    return np.dstack([colours, objects * np.uint8(255)]).astype(np.uint8)


DRAWN: Mapping[str, tuple[str, Draw]] = {
    "colour": ("_colour.png", draw_colour),
    "overlay": ("_overlay.jpg", draw_overlay),
    "cutout": ("_cutout.png", draw_cutout),
}
"""Ending of the file and how it is drawn, of each kind."""


class Pictures:
    """Pictures of one kind of `DRAWN`.

    Args:
        look: Where they go and how they look.
        kind: A key of `DRAWN`.
    """

    needs_probabilities = False
    final: Sequence[Path] = ()

    def __init__(self, look: Look, kind: str):
        self._look = look
        self._ending, self._draw = DRAWN[kind]

    def targets(self, name: Path) -> list[Path]:
        """Return the one file of an image."""
        return [self._look.target(name, self._ending)]

    def write(self, result: Result) -> None:
        """Write the picture of an image."""
        drawn = self._draw(result.image, result.labels, self._look)
        write_image(*self.targets(result.item.name), drawn)

    def finish(self, records: Iterable[None]) -> None:
        """Write nothing about all images."""


class LabelMaps:
    """8-bit palette PNG whose values are the labels."""

    needs_probabilities = False
    final: Sequence[Path] = ()

    def __init__(self, look: Look):
        self._look = look

    def targets(self, name: Path) -> list[Path]:
        """Return the one file of an image."""
        return [self._look.target(name, "_label.png")]

    def write(self, result: Result) -> None:
        """Write the label map of an image."""
        write_mask(*self.targets(result.item.name), result.labels, class_palette())

    def finish(self, records: Iterable[None]) -> None:
        """Write nothing about all images."""
