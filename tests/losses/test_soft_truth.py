"""Losses over regions against their definitions where pixels belong to classes by shares."""

import numpy as np
import pytest

from tests.losses.cases import value
from tests.oracles import softmax


def soft_batch(seed, shape=(2, 3, 3, 3), concentration=0.5):
    """Shares that add up to 1, float32, and logits."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(shape[-1], concentration), size=shape[:-1])
    return shares.astype("float32"), rng.normal(scale=2, size=shape).astype("float32")


def lovasz_by_differences(shares, chances):
    """The errors times what each adds to 1 - IoU, as differences of soft IoUs, in float64."""
    values = []
    for truth, chance in zip(shares.reshape(-1, 3).T, chances.reshape(-1, 3).T, strict=True):
        errors = truth * (1 - chance) + (1 - truth) * chance
        order = np.argsort(-errors)
        truth, errors = truth[order], errors[order]
        total = truth.sum()
        lost = 1 - (total - truth.cumsum()) / (total + (1 - truth).cumsum())
        values.append(errors @ np.diff(lost, prepend=0))
    return np.mean(values)


@pytest.mark.parametrize("concentration", [0.05, 0.5, 5])
def test_lovasz_of_soft_truth_is_its_definition(concentration):
    shares, logits = soft_batch(3, concentration=concentration)
    expected = lovasz_by_differences(np.float64(shares), softmax(logits))
    assert value("lovasz", shares, logits) == pytest.approx(expected, rel=1e-4)


def test_lovasz_of_one_pixel_is_its_error():
    # The only mistake adds all of 1 - IoU, however small the share of a class is: errors 0.5, 0.5.
    truth = np.array([[[[0.1, 0.9]]]], "float32")
    found = value("lovasz", truth, np.zeros((1, 1, 1, 2), "float32"))
    assert found == pytest.approx(0.5)


def test_g_dice_weighs_classes_of_less_than_a_pixel_by_their_share():
    # Y = 0.2, 0.8 and w = 1 / Y²; p = 0.5: class 0 has TP 0.1, FP 0.4, FN 0.1; class 1 TP 0.4,
    # FP 0.1, FN 0.4. 1 - 2 (0.1 w0 + 0.4 w1) / (w0 (0.2 + 0.5) + w1 (0.8 + 0.5))
    first, second = 1 / 0.2**2, 1 / 0.8**2
    expected = 1 - 2 * (0.1 * first + 0.4 * second) / (0.7 * first + 1.3 * second)
    truth = np.array([[[[0.2, 0.8]]]], "float32")
    found = value("g_dice", truth, np.zeros((1, 1, 1, 2), "float32"))
    assert found == pytest.approx(expected, rel=1e-5)
