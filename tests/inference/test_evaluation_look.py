"""Samples of an evaluation are shown once more, several at a time."""

import numpy as np
import pytest

from kseg.data.registry import open_dataset
from kseg.inference.evaluation import EvaluationOptions
from kseg.inference.evaluation.classes import Classes
from kseg.inference.evaluation.jobs import jobs_of
from kseg.inference.evaluation.mask_scorer import MaskScorer
from kseg.inference.evaluation.model_scorer import ModelScorer
from kseg.inference.predictor import Predictor
from tests.inference.evaluation_cases import write_data, write_model

IMAGES, BATCH = 6, 4


class Counting(Predictor):
    """Counts how often the model runs."""

    runs = 0

    def predict_padded(self, images, count):
        """Predict and count."""
        self.runs += 1
        return super().predict_padded(images, count)


@pytest.fixture
def dataset(tmp_path):
    data = write_data(tmp_path / "data" / "squares", IMAGES)
    return open_dataset(data.name, str(data.parent))


def scorer_and_jobs(dataset, tmp_path):
    predictor = Counting.load([str(write_model(tmp_path / "best.keras"))])
    classes = Classes.of(dataset, EvaluationOptions())
    scorer = ModelScorer(predictor, dataset, classes, batch_size=BATCH)
    return predictor, scorer, jobs_of(dataset.splits["test"])


def test_a_model_looks_at_a_batch_at_a_time(dataset, tmp_path):
    predictor, scorer, jobs = scorer_and_jobs(dataset, tmp_path)
    seen = dict(scorer.look(jobs))
    assert predictor.runs == 2
    assert list(seen) == jobs
    for job, (image, truth, predicted) in seen.items():
        np.testing.assert_array_equal(image, dataset.load_image(job.files))
        np.testing.assert_array_equal(truth, dataset.load_mask(job.files))
        np.testing.assert_array_equal(predicted, predictor.predict([image])[0])


def test_samples_whose_files_are_gone_are_left_out(dataset, tmp_path):
    _, scorer, jobs = scorer_and_jobs(dataset, tmp_path)
    jobs[1].files.image.unlink()
    assert [job for job, _ in scorer.look(jobs)] == [jobs[0], *jobs[2:]]


def test_masks_that_are_gone_are_left_out(dataset):
    jobs = jobs_of(dataset.splits["test"])
    folder = jobs[0].files.mask.parent
    scorer = MaskScorer(folder, dataset, Classes.of(dataset, EvaluationOptions()))
    jobs[2].files.mask.unlink()
    assert [job for job, _ in scorer.look(jobs)] == [*jobs[:2], *jobs[3:]]
