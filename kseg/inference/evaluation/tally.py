"""Sums over the images of an evaluation, in whatever order these come."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import numpy as np
from tqdm import tqdm

from kseg.inference.evaluation.bootstrap import bootstrap_intervals
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.counts import ImageCounts
from kseg.inference.evaluation.jobs import Row
from kseg.inference.evaluation.per_image import RANKED_BY, rank_images, spread
from kseg.inference.evaluation.summary import Summary
from kseg.metrics import segmentation_report

# Sentences that are kept: there may be a million bad files.
MOST_FAILURES = 20


class Tally(AbstractContextManager):
    """The sums, with the counts of every image on the disk.

    Args:
        classes: What the labels mean and what is measured.
    """

    def __init__(self, classes: Classes):
        self._classes = classes
        self._measures = classes.measures()
        self._confusion = np.zeros((len(classes.names),) * 2, np.int64)
        self._times = Times()
        self.counts = ImageCounts(len(classes.names))
        self.failures = Failures()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete what was on the disk."""
        self.counts.close()

    def add_all(self, rows: Iterable[Row], total: int) -> None:
        """Add the rows of all samples, with a progress bar over `total`."""
        for row in tqdm(rows, "scoring", total=total, unit="image", leave=False):
            if row["error"]:
                self.failures.add(row["error"])
            else:
                self._add(row["file"].number, row["measured"])
            self._times.add(row)

    def _add(self, number: int, measured: list[Any]) -> None:
        confusion, *others = measured
        self._confusion += confusion
        self.counts.put(number, confusion)
        for measure, values in zip(self._measures, others, strict=True):
            measure.add(values)

    def summary(self) -> Summary:
        """Return the scores of all images added so far."""
        options = self._classes.options
        intervals = None
        if options.bootstrap and self.counts.images > 1:
            tables = (table for _, table in self.counts.chunks())
            intervals = bootstrap_intervals(
                tables, self.counts.images, options.bootstrap, options.seed
            )
        worst, best = rank_images(self.counts, options.worst)
        return Summary(
            report=segmentation_report(self._confusion, self._classes.names),
            intervals=intervals,
            spread={"score": RANKED_BY, **spread(self.counts)},
            measured={one.name: one.result() for one in self._measures},
            worst=worst,
            best=best,
        )

    @property
    def prediction_seconds(self) -> float | None:
        """Time that the model takes per image, None where there is no model."""
        return self._times.per_image


class Times:
    """The time that a model takes per image; the first batches include compiling."""

    def __init__(self) -> None:
        self._sums, self._images = [0.0, 0.0], [0, 0]

    def add(self, row: Row) -> None:
        """Add the time of an image, if it has one."""
        if "seconds" in row:
            self._sums[row["first"]] += row["seconds"]
            self._images[row["first"]] += 1

    @property
    def per_image(self) -> float | None:
        """Seconds per image, without the first batches if there are others."""
        for total, images in zip(self._sums, self._images, strict=True):
            if images:
                return total / images
        return None


class Failures:
    """Samples that could not be used."""

    def __init__(self) -> None:
        self.count = 0
        self.sentences: list[str] = []

    def add(self, sentence: str) -> None:
        """Tell of a sample that is left out."""
        self.count += 1
        tqdm.write(f"left out: {sentence}")
        if len(self.sentences) < MOST_FAILURES:
            self.sentences.append(sentence)

    def check(self, total: int, what: str) -> None:
        """Raise if there was any.

        Args:
            total: Number of samples.
            what: What could not be done with them.

        Raises:
            ValueError: With their number and the first sentence.
        """
        if self.count:
            raise ValueError(
                f"{self.count} of {total} images could not be {what}: {self.sentences[0]}"
            )
