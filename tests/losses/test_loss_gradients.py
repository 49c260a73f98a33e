"""Gradients are exact, finite, and 0 where nothing counts."""

import numpy as np
import pytest

from kseg.losses import get_loss, list_losses
from tests.losses.cases import build, with_even_map
from tests.losses.gradients import gradient
from tests.losses.images import IMAGES, LABELS


@pytest.mark.parametrize("name", list_losses())
def test_gradient_is_exactly_0_at_void_pixels_only(name):
    labels = LABELS.copy()
    labels[:, :3] = 255
    found = gradient(with_even_map(build(name, ignore_class=255)), labels, IMAGES)
    assert (found[:, :3] == 0).all()
    assert np.isfinite(found).all()
    # Easy pixels have none in ohem_ce, and pixels far from every error next to none.
    hard = 0.2 if name == "ohem_ce" else 1.0
    assert (found[:, 3:] != 0).mean() >= hard


@pytest.mark.parametrize("name", list_losses())
def test_gradient_without_valid_pixels_is_0(name):
    loss = with_even_map(build(name, ignore_class=255))
    assert (gradient(loss, np.full_like(LABELS, 255), IMAGES) == 0).all()


@pytest.mark.parametrize("factor", [0.0, 1e4])
@pytest.mark.parametrize("name", list_losses())
def test_gradient_is_finite_at_flat_perfect_and_all_wrong_predictions(name, factor):
    loss = with_even_map(build(name))
    right = factor * np.where(LABELS[..., None] == np.arange(3), 1, -1).astype("float32")
    for scores in (right, -right):
        assert np.isfinite(gradient(loss, LABELS, scores)).all()


@pytest.mark.parametrize("name", list_losses())
def test_gradient_equals_differences_of_the_value(name):
    # A step along the gradient g changes the value by the step's length times |g|².
    loss = with_even_map(build(name))
    labels, logits = LABELS[:2], 0.5 * IMAGES[:2]
    found = gradient(loss, labels, logits).astype("float64")
    # hausdorff jumps where the most likely class of a pixel changes: not within this step.
    step = (1e-3 if name == "hausdorff" else 0.02) / np.abs(found).max()
    ends = [float(loss(labels, (logits + s * step * found).astype("float32"))) for s in (-1, 1)]
    expected = 2 * step * (found**2).sum()
    assert ends[1] - ends[0] == pytest.approx(expected, rel=2e-2)


def test_gradient_of_ce_is_p_minus_truth_over_pixels():
    # d ce / d x = (softmax(x) - one-hot) / number of pixels
    chances = np.exp(IMAGES) / np.exp(IMAGES).sum(-1, keepdims=True)
    expected = (chances - np.eye(3)[LABELS]) / LABELS.size
    found = gradient(get_loss("ce"), LABELS, IMAGES)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
