"""Scoring label masks that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from kseg.data.check import check_values
from kseg.data.dataset import Dataset
from kseg.data.io import read_mask
from kseg.data.pairing import by_key
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.jobs import Job, Row, Seen
from kseg.inference.evaluation.measures import ScoredImage
from kseg.inference.file_errors import PER_FILE, one_line
from kseg.inference.threads import ahead, usual_threads

# What `kseg predict` adds to the names of its label masks.
_ENDINGS = ("", "_label")


class MaskScorer:
    """Measure the masks of a folder against the truth, in threads.

    A mask belongs to a sample if it has its name up to the extension, or that and `_label`. Other
    files of the folder are left alone.

    Args:
        folder: Folder of the predicted label masks.
        dataset: Reads the truth.
        classes: What to measure.

    Raises:
        ValueError: There is no such folder, no image in it, or two of one name.
    """

    def __init__(self, folder: Path, dataset: Dataset, classes: Classes):
        self._folder, self._dataset = folder, dataset
        self._files = by_key(folder)
        self._classes, self._measure = classes, classes.measurer()

    def rows(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Yield a row for each sample, in their order."""
        threads = usual_threads()
        return ahead(self._row, jobs, threads=threads, window=4 * threads)

    def look(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Seen]]:
        """Yield samples with their predictions once more, but those whose files are gone."""
        for job in jobs:
            with suppress(*PER_FILE):
                yield job, self._seen(job)

    def _seen(self, job: Job) -> Seen:
        # Where there are no images, the label maps stand for them.
        is_image = job.files.image != job.files.mask
        image = self._dataset.load_image(job.files) if is_image else None
        return Seen(image, self._dataset.load_mask(job.files), self._prediction(job))

    def _row(self, job: Job) -> Row:
        try:
            truth, predicted = self._dataset.load_mask(job.files), self._prediction(job)
        except PER_FILE as error:
            return {"file": job, "error": one_line(job, error)}
        try:
            measured = self._measure(ScoredImage(truth, predicted))
        except PER_FILE as error:
            return {"file": job, "error": self._fault(job, truth, error)}
        return {"file": job, "error": None, "measured": measured}

    def _fault(self, job: Job, truth: np.ndarray, error: Exception) -> str:
        """Return what is wrong with the truth, or else with the prediction."""
        names, ignored = self._classes.names, self._classes.ignore_class
        try:
            check_values(np.unique(truth), job.files, len(names), ignored)
        except ValueError as fault:
            return one_line(job.files.mask, fault)
        return one_line(self._path(job), error)

    def _path(self, job: Job) -> Path:
        for ending in _ENDINGS:
            if f"{job.name}{ending}" in self._files:
                return self._files[f"{job.name}{ending}"]
        raise ValueError(f"{job.files.mask}: there is no prediction {job.name}.* in {self._folder}")

    def _prediction(self, job: Job) -> np.ndarray:
        path = self._path(job)
        try:
            # The values of palette files are the labels, whatever their colours are.
            return read_mask(path)
        except ValueError:
            if self._dataset.colours is None:
                raise
            return read_mask(path, colours=self._dataset.colours)
