"""What every kind of result has in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kseg.inference.sources import Item


@dataclass(frozen=True)
class Result:
    """An image and what a model says about it.

    Attributes:
        item: Its file and what its results are called.
        image: `(H, W, channels)` in 0..255.
        labels: uint8 `(H, W)`.
        probabilities: float32 `(H, W, C)`, where a kind of result needs them.
    """

    item: Item
    image: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Look:
    """Where results go and how they look.

    Attributes:
        folder: The output folder.
        class_names: Name of each class in the order of the labels.
        blend: Strength of the colours over an image, 0..1.
    """

    folder: Path
    class_names: Sequence[str]
    blend: float = 0.5

    @property
    def background(self) -> int | None:
        """Label of the background, or None where every class is an object."""
        first = self.class_names[0].lower() if self.class_names else ""
        return 0 if first in ("background", "_background_") else None

    def target(self, name: Path, ending: str) -> Path:
        """Return the path of a result."""
        return self.folder / name.parent / f"{name.name}{ending}"


class Writer(Protocol):
    """One kind of result; its methods are called by several threads at once.

    Attributes:
        needs_probabilities: Labels are not enough.
        final: Files that `finish` writes.
    """

    needs_probabilities: bool
    final: Sequence[Path]

    def targets(self, name: Path) -> list[Path]:
        """Return the files that `write` writes for an image."""

    def write(self, result: Result) -> Any:
        """Write the files of one image.

        Returns:
            What `finish` needs to know of it, made of lists, dicts, text and numbers, or None.
        """

    def finish(self, records: Iterable[Any]) -> None:
        """Write the files of `final`, from what `write` returned for each image, given once."""
