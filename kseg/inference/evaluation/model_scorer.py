"""Scoring what a model predicts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kseg.data.dataset import Dataset, Sample
from kseg.data.io import write_mask
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.jobs import Job, Row, Seen
from kseg.inference.evaluation.measures import ScoredImage
from kseg.inference.file_errors import PER_FILE, is_per_file, one_line
from kseg.inference.predictor import Predictor
from kseg.inference.threads import ahead, usual_threads
from kseg.palette import class_palette


class _Loaded(NamedTuple):
    job: Job
    sample: Sample | None
    error: str | None = None


class _Predicted(NamedTuple):
    job: Job
    sample: Sample
    labels: np.ndarray
    probabilities: np.ndarray | None
    seconds: float
    first: bool


class ModelScorer:
    """Predict samples and measure the answers.

    Threads decode images ahead of the model and measure behind it, while it runs.

    Args:
        predictor: The model.
        dataset: Reads the samples.
        classes: What to measure; None reads no labels and measures nothing.
        batch_size: Images per step.
        masks: Folder for the predicted label masks, None writes none.
    """

    def __init__(
        self,
        predictor: Predictor,
        dataset: Dataset,
        classes: Classes | None,
        *,
        batch_size: int,
        masks: Path | None = None,
    ):
        self._predictor, self._dataset = predictor, dataset
        self._measure = None if classes is None else classes.measurer()
        self._batch_size, self._masks = batch_size, masks
        self._probabilities = classes is not None and classes.options.needs_probabilities
        self._started = False

    def rows(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Yield a row for each sample, about in their order."""
        threads = usual_threads()
        size = {"threads": threads, "window": self._batch_size + threads}
        return ahead(self._row, self._predicted(ahead(self._load, jobs, **size)), **size)

    def look(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Seen]]:
        """Yield samples with their predictions once more, but those whose files are gone.

        They are predicted in batches as all were: a single image takes as long as a batch.
        """
        for one in self._predicted(map(self._load, jobs)):
            if isinstance(one, _Predicted):
                yield one.job, Seen(one.sample.image, one.sample.labels, one.labels)

    def _load(self, job: Job) -> _Loaded:
        try:
            if self._measure is not None:
                return _Loaded(job, self._dataset.load(job.files))
            return _Loaded(job, Sample(self._dataset.load_image(job.files), None, job.name))
        except PER_FILE as error:
            return _Loaded(job, None, one_line(job, error))

    def _predicted(self, loaded: Iterator[_Loaded]) -> Iterator[_Predicted | _Loaded]:
        while batch := list(islice(loaded, self._batch_size)):
            yield from (one for one in batch if one.sample is None)
            yield from self._predict([one for one in batch if one.sample is not None])

    def _predict(self, batch: Sequence[_Loaded]) -> Iterator[_Predicted | _Loaded]:
        samples = [one.sample for one in batch if one.sample is not None]
        if not samples:
            return
        start = time.perf_counter()
        try:
            labels, probabilities = self._answers([sample.image for sample in samples])
        except Exception as error:
            if not is_per_file(error):
                raise
            # One image of the batch may be to blame.
            if len(batch) == 1:
                yield _Loaded(batch[0].job, None, one_line(batch[0].job, error))
            else:
                for one in batch:
                    yield from self._predict([one])
            return
        seconds = (time.perf_counter() - start) / len(samples)
        first, self._started = not self._started, True
        jobs = (one.job for one in batch)
        for values in zip(jobs, samples, labels, probabilities, strict=True):
            yield _Predicted(*values, seconds, first)

    def _answers(
        self, images: list[np.ndarray]
    ) -> tuple[list[np.ndarray], Sequence[np.ndarray | None]]:
        if not self._probabilities:
            return self._predictor.predict_padded(images, self._batch_size), [None] * len(images)
        filled = self._predictor.padded(images, self._batch_size)
        probabilities = self._predictor.probabilities(filled)[: len(images)]
        return [one.argmax(-1).astype(np.uint8) for one in probabilities], probabilities

    def _row(self, one: _Predicted | _Loaded) -> Row:
        if isinstance(one, _Loaded):
            return {"file": one.job, "error": one.error}
        measured = None
        try:
            if self._measure is not None:
                image = ScoredImage(one.sample.labels, one.labels, one.probabilities)
                measured = self._measure(image)
        except PER_FILE as error:
            return {"file": one.job, "error": one_line(one.job, error)}
        if self._masks is not None:
            write_mask(self._masks / f"{one.job.name}.png", one.labels, class_palette())
        times = {"seconds": one.seconds, "first": one.first}
        return {"file": one.job, "error": None, "measured": measured, **times}
