"""Where a model sees a class, and how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from kseg.data.io import write_image
from kseg.inference.outputs.base import Look, Result
from kseg.palette import as_picture


def draw_heat(image: np.ndarray, probability: np.ndarray, blend: float = 0.5) -> np.ndarray:
    """Return a probability as colours over the grey image, RGB `(H, W, 3)` uint8.

    Args:
        image: `(H, W, channels)` in 0..255.
        probability: `(H, W)`, from 0 (dark violet) over 0.5 (green) to 1 (yellow).
        blend: Share of the colours, 0..1.
    """
    values = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(values, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    grey = cv2.cvtColor(as_picture(image), cv2.COLOR_RGB2GRAY)[..., None]
    return np.rint((1 - blend) * grey + blend * colours).astype(np.uint8)


class HeatMaps:
    """A picture per class.

    Args:
        look: Where they go and how they look.
        chosen: Name or number of the only class to draw; by default all.

    Raises:
        ValueError: There is no such class.
    """

    needs_probabilities = True
    final: Sequence[Path] = ()

    def __init__(self, look: Look, chosen: str | None = None):
        self._look = look
        classes = range(len(look.class_names))
        self._classes = classes if chosen is None else [find_class(look.class_names, chosen)]

    def targets(self, name: Path) -> list[Path]:
        """Return a file per class."""
        # Signs that no file name should have; the number keeps the names apart.
        plain = [re.sub(r"[^\w-]+", "_", one) for one in self._look.class_names]
        endings = [f"_heat_{index}_{plain[index]}.jpg" for index in self._classes]
        return [self._look.target(name, ending) for ending in endings]

    def write(self, result: Result) -> None:
        """Write the pictures of an image.

        Raises:
            ValueError: The result has no probabilities.
        """
        if result.probabilities is None:
            raise ValueError(f"{result.item}: heat maps need probabilities, not labels")
        for index, path in zip(self._classes, self.targets(result.item.name), strict=True):
            heat = draw_heat(result.image, result.probabilities[..., index], self._look.blend)
            write_image(path, heat)

    def finish(self, records: Iterable[None]) -> None:
        """Write nothing about all images."""


def find_class(class_names: Sequence[str], wanted: str) -> int:
    """Return the label of a class by its name or its number.

    Raises:
        ValueError: There is no such class.
    """
    if wanted in class_names:
        return list(class_names).index(wanted)
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(class_names):
        return int(wanted)
    known = ", ".join(f"{index} {name}" for index, name in enumerate(class_names))
    raise ValueError(f"there is no class {wanted!r}; classes are {known}")
