"""Areas under curves of models that are very sure of themselves, or of nothing."""

import numpy as np
import pytest

from kseg.inference.engines.scores import softmax
from kseg.inference.evaluation.curves import CurveMeasure
from kseg.inference.evaluation.measures import ScoredImage
from kseg.metrics import auc_in_mask, average_precision_in_mask


def image_of(truth, probabilities):
    return ScoredImage(truth, probabilities.argmax(-1).astype(np.uint8), probabilities)


@pytest.mark.parametrize("scale", [1, 10, 20])
def test_missed_pixels_of_a_sure_model_are_still_ranked(scale):
    # At 20, four of five pixels of class 1 have a probability below 1e-7, some below 1e-38.
    rng = np.random.default_rng(0)
    truth = (rng.random((120, 120)) < 0.1).astype(np.uint8)
    logits = rng.normal(np.where(truth, 1, -3), 2) * scale
    chances = softmax(np.stack([np.zeros_like(logits), logits], axis=-1))
    measure = CurveMeasure(("ground", "thing"), None)
    measure.add(measure.measure(image_of(truth, chances)))
    for label, row in enumerate(measure.result()["classes"]):
        expected = auc_in_mask(truth == label, chances[..., label])
        assert row["auc"] == pytest.approx(expected, abs=1e-4)
        expected = average_precision_in_mask(truth == label, chances[..., label])
        assert row["average_precision"] == pytest.approx(expected, abs=1e-3)


def test_probabilities_of_0_and_1_are_exact():
    truth = np.array([[0, 0, 1, 1, 1]], np.uint8)
    chances = np.eye(2, dtype=np.float32)[[[0, 1, 1, 1, 0]]]
    measure = CurveMeasure(("ground", "thing"), None)
    measure.add(measure.measure(image_of(truth, chances)))
    _, thing = measure.result()["classes"]
    # Pairs: of 6, 2 are right, 1 is wrong, 3 are ties.
    assert thing["auc"] == pytest.approx((2 + 1.5) / 6)
    assert thing["average_precision"] == pytest.approx((2 / 3 * 2 + 3 / 5) / 3)


def test_a_model_that_gives_nan_gets_one_sentence():
    truth = np.zeros((4, 4), np.uint8)
    image = ScoredImage(truth, truth, np.full((4, 4, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"probabilities holds NaN, expected probabilities"):
        CurveMeasure(("ground", "thing"), None).measure(image)
