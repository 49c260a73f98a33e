"""The samples of an evaluation, and what comes of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from kseg.data.dataset import SampleFiles

# "file" is the `Job`, "error" a sentence or None, "measured" what `Classes.measure` gave; "seconds"
# is the time of its prediction, which "first" tells from those behind it, as it includes compiling.
Row = dict[str, Any]


class Job(NamedTuple):
    """A sample to score.

    Attributes:
        number: Its place in the list of all.
        name: Name that no other sample has.
        files: Its files.
    """

    number: int
    name: str
    files: SampleFiles

    def __str__(self) -> str:
        """Return the path of the image."""
        return str(self.files.image)


class Seen(NamedTuple):
    """A sample and its prediction, to look at.

    Attributes:
        image: `(H, W, C)`, or None where there are only label maps.
        truth: Label map `(H, W)`.
        predicted: Predicted label map `(H, W)`.
    """

    image: np.ndarray | None
    truth: np.ndarray
    predicted: np.ndarray


class Scorer(Protocol):
    """What measures samples: a model, or a folder of masks."""

    def rows(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Yield a row for each sample."""

    def look(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Seen]]:
        """Yield samples with their predictions once more, but those whose files are gone."""


def jobs_of(files: Sequence[SampleFiles]) -> list[Job]:
    """Return the samples with their numbers and names.

    Files of one name in several folders get the name of the folder, and a number if need be.
    """
    names = [one.name for one in files]
    for longer in (_with_folder, _with_number):
        counts = Counter(names)
        names = [
            name if counts[name] == 1 else longer(name, number, files[number])
            for number, name in enumerate(names)
        ]
    return [Job(number, *pair) for number, pair in enumerate(zip(names, files, strict=True))]


def _with_folder(name: str, _: int, files: SampleFiles) -> str:
    return f"{files.image.parent.name}_{name}"


def _with_number(name: str, number: int, _: SampleFiles) -> str:
    return f"{name}_{number}"
