import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.losses import get_loss, list_losses
from tests import oracles

SHAPE = (2, 6, 5, 3)
properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def value(name, labels, scores, **options):
    return float(get_loss(name, **options)(labels, scores))


def batch(seed, void=None, shape=SHAPE):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, max(shape[-1], 2), shape[:-1])
    if void is not None:
        labels[rng.random(labels.shape) < 0.3] = void
    return labels, rng.normal(scale=2, size=shape).astype("float32")


def test_ce_of_one_pixel_is_minus_log_p():
    # p = (0.25, 0.75), label 1: -log 0.75 = 0.287682
    logits = np.log(np.array([[[[0.25, 0.75]]]], "float32"))
    assert value("ce", np.array([[[1]]]), logits) == pytest.approx(0.287682, abs=1e-6)


def test_weighted_ce_divides_by_the_weights_of_the_pixels():
    # labels 0, 1; p_true 0.5, 0.25; weights 1, 3:
    # (1 * 0.693147 + 3 * 1.386294) / (1 + 3) = 1.213008
    p = np.array([[[[0.5, 0.5], [0.75, 0.25]]]], "float32")
    options = {"class_weights": [1, 3], "from_logits": False}
    assert value("ce", np.array([[[0, 1]]]), p, **options) == pytest.approx(1.213008, abs=1e-6)


def test_dice_is_the_mean_over_classes():
    # labels 0, 0, 1; p of class 1: 0, 0.5, 1
    # class 0: I = 1.5, Y = 2, P = 1.5: 1 - 3 / 3.5 = 0.142857
    # class 1: I = 1.0, Y = 1, P = 1.5: 1 - 2 / 2.5 = 0.2; mean 0.171429
    p = np.array([[[[1, 0], [0.5, 0.5], [0, 1]]]], "float32")
    found = value("dice", np.array([[[0, 0, 1]]]), p, from_logits=False)
    assert found == pytest.approx(0.171429, abs=1e-6)


def test_binary_dice_counts_the_foreground_alone():
    # labels 0, 0, 1; p 0, 0.5, 1: 1 - 2 * 1 / (1 + 1.5) = 0.2
    p = np.array([[[[0], [0.5], [1]]]], "float32")
    assert value("dice", np.array([[[0, 0, 1]]]), p, from_logits=False) == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["ce", "dice"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ignore", [None, 255, -1, 0])
def test_equals_the_oracle(name, channels, ignore):
    labels, logits = batch(1, None if ignore == 0 else ignore, (*SHAPE[:-1], channels))
    weights = [1.0, 2.5, 0.5][: max(channels, 2)]
    chances = oracles.softmax(logits)
    extra = {"class_ids": [1]} if name == "dice" and channels == 1 else {}
    expected = getattr(oracles, name)(labels, chances, weights=weights, ignore=ignore, **extra)
    options = {"class_weights": weights, "ignore_class": ignore}
    scores = chances[..., 1:] if channels == 1 else chances
    assert value(name, labels, logits, **options) == pytest.approx(expected, rel=1e-5)
    found = value(name, labels, scores.astype("float32"), from_logits=False, **options)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["ce", "dice"])
def test_per_image_is_the_mean_over_images(name):
    labels, logits = batch(2, 255)
    images = zip(labels, oracles.softmax(logits), strict=True)
    expected = np.mean([getattr(oracles, name)(y, p, ignore=255) for y, p in images])
    found = value(name, labels, logits, ignore_class=255, per_image=True)
    assert found == pytest.approx(expected, rel=1e-5)


def test_per_image_leaves_out_images_without_valid_pixels():
    labels, logits = batch(2)
    labels[1] = 255
    options = {"ignore_class": 255, "per_image": True}
    for name in list_losses():
        found = value(name, labels, logits, **options)
        assert found == pytest.approx(value(name, labels[:1], logits[:1]), rel=1e-5)


def test_dice_options_equal_the_oracle():
    labels, logits = batch(3)
    expected = oracles.dice(labels, oracles.softmax(logits), smooth=2.0, class_ids=[1, 2])
    found = value("dice", labels, logits, smooth=2.0, class_ids=[1, 2])
    assert found == pytest.approx(expected, rel=1e-5)


def test_ce_dice_is_ce_plus_dice():
    labels, logits = batch(4)
    parts = value("ce", labels, logits) + value("dice", labels, logits)
    assert value("ce_dice", labels, logits) == pytest.approx(parts, rel=1e-6)


@pytest.mark.parametrize("name", list_losses())
def test_every_form_of_truth_gives_one_value(name):
    labels, logits = batch(5, 255)
    one_hot = (labels[..., None] == np.arange(3)).astype("float32")
    found = [
        value(name, truth, logits, ignore_class=255)
        for truth in (labels, labels[..., None], labels.astype("uint8"), one_hot)
    ]
    assert found == pytest.approx([found[0]] * 4, rel=1e-6)


@pytest.mark.parametrize("name", list_losses())
def test_binary_takes_labels_with_and_without_channel(name):
    labels, logits = batch(6, shape=(*SHAPE[:-1], 1))
    assert value(name, labels, logits) == value(name, labels[..., None], logits)


@pytest.mark.parametrize("name", list_losses())
def test_perfect_prediction_gives_0_and_all_wrong_the_maximum(name):
    labels, _ = batch(7)
    right = 1e4 * (labels[..., None] == np.arange(3)).astype("float32")
    assert value(name, labels, right) == 0.0
    worst = {"ce": 1e4, "dice": 1.0, "ce_dice": 1e4 + 1.0}[name]
    assert value(name, labels, np.roll(right, 1, -1)) == pytest.approx(worst)


@pytest.mark.parametrize("name", list_losses())
def test_absent_class_does_not_count(name):
    # Class 2 is in neither: a fourth channel of no probability changes nothing.
    labels, logits = batch(8, shape=(*SHAPE[:-1], 2))
    wider = np.concatenate([logits, np.full((*SHAPE[:-1], 1), -1e4, "float32")], -1)
    assert value(name, labels, wider) == pytest.approx(value(name, labels, logits), rel=1e-6)


@pytest.mark.parametrize("name", list_losses())
def test_nothing_valid_gives_0(name):
    labels, logits = batch(9)
    assert value(name, np.full_like(labels, 255), logits, ignore_class=255) == 0.0


def test_binary_dice_without_foreground_is_0():
    _, logits = batch(9, shape=(*SHAPE[:-1], 1))
    assert value("dice", np.zeros(SHAPE[:-1], int), logits) == 0.0


@pytest.mark.parametrize("name", list_losses())
def test_float16_predictions_of_1024x1024_are_finite_and_right(name):
    labels, logits = batch(10, shape=(1, 1024, 1024, 2))
    half = (logits + [4.0, 0.0]).astype("float16")
    chances = oracles.softmax(half)
    parts = [getattr(oracles, part)(labels, chances) for part in name.split("_")]
    assert value(name, labels, half) == pytest.approx(math.fsum(parts), rel=2e-6)


@properties
@given(seed=seeds, order=st.permutations(range(3)))
def test_renaming_the_classes_changes_nothing(seed, order):
    labels, logits = batch(seed)
    weights = np.array([1.0, 2.0, 3.0])
    renamed = np.argsort(order)[labels]
    for name in list_losses():
        before = value(name, labels, logits, class_weights=weights)
        after = value(name, renamed, logits[..., order], class_weights=weights[order])
        assert after == pytest.approx(before, rel=1e-5)


@properties
@given(seed=seeds, garbage=st.sampled_from([1e4, math.inf, math.nan]))
def test_what_is_predicted_at_void_pixels_changes_nothing(seed, garbage):
    labels, logits = batch(seed, 255)
    other = np.where((labels == 255)[..., None], np.float32(garbage), logits)
    for name in list_losses():
        before = value(name, labels, logits, ignore_class=255)
        assert value(name, labels, other, ignore_class=255) == before


@properties
@given(seed=seeds, factor=st.floats(1e-3, 1e3))
def test_scaling_all_class_weights_changes_nothing(seed, factor):
    labels, logits = batch(seed)
    for name in list_losses():
        before = value(name, labels, logits, class_weights=[1.0, 2.0, 0.5])
        after = value(name, labels, logits, class_weights=[factor, 2 * factor, 0.5 * factor])
        assert after == pytest.approx(before, rel=1e-5)


@properties
@given(seed=seeds)
def test_order_of_images_changes_nothing(seed):
    labels, logits = batch(seed)
    for name in list_losses():
        before = value(name, labels, logits)
        assert value(name, labels[::-1], logits[::-1]) == pytest.approx(before, rel=1e-5)
