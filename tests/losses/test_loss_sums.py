"""Losses add up, scale, and take weights of images and pixels."""

import keras
import numpy as np
import pytest

from kseg.losses import get_loss
from tests.losses.images import IMAGES, LABELS

RNG = np.random.default_rng(1)


def test_mean_sample_weight_multiplies_the_loss():
    loss = get_loss("ce_dice")
    weights = np.array([1.0, 0.0, 2.0, 3.0], "float32")
    plain = float(loss(LABELS, IMAGES))
    assert float(loss(LABELS, IMAGES, sample_weight=weights)) == pytest.approx(1.5 * plain)


def test_losses_add_up_and_scale():
    ce, dice = get_loss("ce"), get_loss("dice")
    both = 0.5 * ce + (dice + ce) * 2
    expected = 2.5 * float(ce(LABELS, IMAGES)) + 2 * float(dice(LABELS, IMAGES))
    assert both.weights == [0.5, 2.0, 2.0]
    assert float(both(LABELS, IMAGES)) == pytest.approx(expected)
    assert float(sum([ce, dice])(LABELS, IMAGES)) == pytest.approx(
        float(get_loss("ce_dice")(LABELS, IMAGES))
    )


def test_losses_of_keras_join_a_sum():
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True)
    truth = np.eye(3, dtype="float32")[LABELS]
    ours = float(get_loss("ce")(LABELS, IMAGES))
    for both in (theirs + get_loss("ce"), get_loss("ce") + theirs):
        assert float(both(truth, IMAGES)) == pytest.approx(2 * ours, rel=1e-5)


def test_a_map_of_weights_is_a_weighted_mean_over_pixels():
    # The mean with weights 0 and 1 is the mean over the pixels of weight 1.
    weights = (np.arange(8) < 4) * np.ones(LABELS.shape, "float32")
    kept = np.where(weights > 0, LABELS, 255)
    expected = float(get_loss("ce", ignore_class=255)(kept, IMAGES))
    for form in (weights, weights[..., None]):
        found = float(get_loss("edge_weighted_ce")(LABELS, IMAGES, sample_weight=form))
        assert found == pytest.approx(expected, rel=1e-6)


def test_in_a_sum_the_losses_over_pixels_take_the_map_of_weights():
    weights = RNG.random(LABELS.shape).astype("float32")
    both = get_loss("edge_weighted_ce", w0=5) + 2 * get_loss("dice")
    assert both.pixel_weights == {"w0": 5.0, "sigma": 5.0, "background": 0}
    expected = float(get_loss("ce")(LABELS, IMAGES, sample_weight=weights))
    expected += 2 * float(get_loss("dice")(LABELS, IMAGES))
    assert float(both(LABELS, IMAGES, sample_weight=weights)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda: 0.5 * get_loss("dice"),
        lambda: get_loss("dice") + get_loss("lovasz"),
        lambda: get_loss("dice") + keras.losses.Dice(axis=(1, 2)),
    ],
)
def test_a_sum_of_losses_over_regions_refuses_a_map_of_weights(build):
    truth = np.eye(3, dtype="float32")[LABELS]
    with pytest.raises(ValueError, match="No loss of the sum .* takes a map of weights"):
        build()(truth, IMAGES, sample_weight=np.ones(LABELS.shape, "float32"))


@pytest.mark.parametrize("form", [(), (1,)])
def test_a_loss_of_keras_over_pixels_takes_the_map_of_weights(form):
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weights = RNG.random((*LABELS.shape, *form)).astype("float32")
    expected = float(get_loss("ce")(LABELS, IMAGES, sample_weight=weights))
    expected += float(get_loss("dice")(LABELS, IMAGES))
    found = float((theirs + get_loss("dice"))(LABELS, IMAGES, sample_weight=weights))
    assert found == pytest.approx(expected, rel=1e-5)
