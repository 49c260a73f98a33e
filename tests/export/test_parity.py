"""What differences from the original an export may have."""

import keras
import numpy as np
import pytest

from kseg.config import OnnxConfig
from kseg.export.parity import ParityError, check_parity, parity_of
from kseg.inference.engines.scores import scores_to_labels
from tests.export.tiny_source import tiny_source

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="models are exported on TensorFlow"
)
BATCH = np.zeros((1, 40, 40, 3), "uint8")


class Answers:
    """An engine of known probabilities, of which those of some pixels are a little off."""

    def __init__(self, pixels=0, by=0.0):
        scores = np.tile(np.float32([0.7, 0.2, 0.1]), (1600, 1))
        scores[:pixels] += np.float32([-by, by, 0])
        self.scores = scores.reshape(1, 40, 40, 3)

    def probabilities(self, batch):
        return self.scores

    def labels(self, batch):
        return scores_to_labels(self.scores)


def parity(pixels, by):
    return parity_of(Answers(pixels, by), Answers(), [BATCH])


def test_differences_are_counted_by_pixel():
    found = parity(40, 0.01)  # 2.5 %
    assert found.max_difference == pytest.approx(0.01, rel=1e-5)
    assert found.usual_difference == 0
    assert found.agreement == 1
    assert parity(100, 0.01).usual_difference == pytest.approx(0.01, rel=1e-5)
    assert parity(40, 0.5).agreement == 1 - 40 / 1600
    assert parity(1, np.nan).max_difference == np.inf


def test_single_pixels_may_differ_only_where_a_model_remembers_maxima():
    config = OnnxConfig()
    plain, ties = tiny_source("unet", 32), tiny_source("segnet", 32)
    for source in (plain, ties):
        check_parity(parity(1600, 5e-5), config, source)
        with pytest.raises(ParityError, match="differs from the original by 0.01, more than"):
            check_parity(parity(100, 0.01), config, source)
        with pytest.raises(ParityError, match=r"differs .* by 0\.5"):
            check_parity(parity(40, 0.5), config, source)
    check_parity(parity(40, 0.01), config, ties)
    with pytest.raises(ParityError, match="differs from the original by 0.01"):
        check_parity(parity(40, 0.01), config, plain)
