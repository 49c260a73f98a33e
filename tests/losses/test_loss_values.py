import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.losses import list_losses
from tests import oracles
from tests.losses.cases import takes, value

SHAPE = (2, 6, 5, 3)
properties = settings(max_examples=4, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


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


@pytest.mark.parametrize("name", list_losses())
def test_per_image_is_the_mean_of_single_images(name):
    labels, logits = batch(12)
    labels[0, 0, :3], labels[1, 0, :3] = range(3), range(3)
    images = [value(name, labels[i : i + 1], logits[i : i + 1]) for i in range(len(labels))]
    assert value(name, labels, logits, per_image=True) == pytest.approx(np.mean(images), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in list_losses() if takes(name, "class_ids")])
def test_classes_without_weight_and_those_left_out_are_the_same(name):
    labels, logits = batch(13)
    if name == "g_dice" or not name.startswith(("bce_", "ce_", "edge_", "unified_")):
        left_out = value(name, labels, logits, class_ids=[1, 2])
        expected = value(name, labels, logits, class_weights=[0, 1, 1])
        assert left_out == pytest.approx(expected, rel=1e-6)
    assert value(name, labels, logits, class_ids=[0, 1, 2]) == value(name, labels, logits)


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


OVER_PIXELS = ["b_focal", "bce", "c_focal", "ce", "edge_weighted_ce"]


@pytest.mark.parametrize("name", OVER_PIXELS)
def test_a_loss_over_pixels_is_linear_in_soft_truth(name):
    (first, logits), (second, _) = batch(14), batch(15)
    soft = 0.3 * np.eye(3)[first] + 0.7 * np.eye(3)[second]
    expected = 0.3 * value(name, first, logits) + 0.7 * value(name, second, logits)
    assert value(name, soft.astype("float32"), logits) == pytest.approx(expected, rel=1e-5)


def test_soft_truth_enters_the_counts_of_dice():
    # One pixel, y = (0.25, 0.75), p = (0.5, 0.5): class 0 has TP 0.125, FP 0.375, FN 0.125,
    # 1 - 0.25 / 0.75 = 2/3; class 1 has TP 0.375, FP 0.125, FN 0.375, 1 - 0.75 / 1.25 = 0.4.
    truth = np.array([[[[0.25, 0.75]]]], "float32")
    found = value("dice", truth, np.zeros((1, 1, 1, 2), "float32"))
    assert found == pytest.approx((2 / 3 + 0.4) / 2)


@pytest.mark.parametrize("name", list_losses())
def test_soft_truth_falls_between_its_parts(name):
    (first, logits), (second, _) = batch(14), batch(15)
    soft = (np.eye(3)[first] + np.eye(3)[second]) / 2
    assert 0 < value(name, soft.astype("float32"), logits) < 20


@pytest.mark.parametrize("name", list_losses())
def test_binary_takes_labels_with_and_without_channel(name):
    labels, logits = batch(6, shape=(*SHAPE[:-1], 1))
    assert value(name, labels, logits) == value(name, labels[..., None], logits)


# Logits of 1e4 for the right class and -1e4 for others, and the same with the classes
# exchanged: a pixel then costs 2e4 under a softmax and 1e4 under a sigmoid, in 2 of 3 channels.
WORST = {
    "b_focal": (0.25 * 1e4 + 0.75 * 1e4) / 3,
    "bce": 2e4 / 3,
    "bce_dice": 2e4 / 3 + 1,
    "bce_jaccard": 2e4 / 3 + 1,
    "c_focal": 2e4,
    "ce": 2e4,
    "ce_dice": 2e4 + 1,
    "ce_jaccard": 2e4 + 1,
    "cl_dice": 1,
    "dice": 1,
    "edge_weighted_ce": 2e4,
    "edge_weighted_ce_dice": 2e4 + 1,
    "f_tversky": 1,
    "g_dice": 1,
    "jaccard": 1,
    "lovasz": 1,
    "ohem_ce": 2e4,
    "tversky": 1,
    "weighted_ce": 2e4,
}


ROUNDING = float(np.finfo("float32").eps)
# Powers below 1 of what is missing to a perfect overlap, which enlarge a softmax' rounding.
ROOTS = {"f_tversky": 3 / 4, "unified_focal": 1 / 2}


@pytest.mark.parametrize("name", list_losses())
def test_a_perfect_prediction_gives_0(name):
    labels, _ = batch(7)
    right = 1e4 * np.where(labels[..., None] == np.arange(3), 1, -1).astype("float32")
    assert value(name, labels, right) == pytest.approx(0.0, abs=ROUNDING ** ROOTS.get(name, 1))
    if name in WORST:
        assert value(name, labels, np.roll(right, 1, -1)) == pytest.approx(WORST[name], rel=1e-6)


def test_all_wrong_masks_of_two_classes_have_correlation_minus_1():
    labels, _ = batch(7, shape=(*SHAPE[:-1], 2))
    wrong = 1e4 * np.where(labels[..., None] == np.arange(2), -1, 1).astype("float32")
    assert value("mcc", labels, wrong) == pytest.approx(2.0)


def test_a_class_that_is_everywhere_has_no_correlation_and_does_not_count():
    _, logits = batch(7)
    assert value("mcc", np.zeros(SHAPE[:-1], int), logits) == 0.0


@pytest.mark.parametrize("name", list_losses())
def test_absent_class_does_not_count(name):
    # Class 2 is in neither: a fourth channel of no probability changes nothing.
    labels, logits = batch(8, shape=(*SHAPE[:-1], 2))
    wider = np.concatenate([logits, np.full((*SHAPE[:-1], 1), -1e4, "float32")], -1)
    expected = value(name, labels, logits)
    if name == "b_focal":
        expected *= 2 / 3  # a mean over one more channel, which is right everywhere
    elif name.startswith("bce"):
        region = 0.0 if name == "bce" else value(name.removeprefix("bce_"), labels, logits)
        expected = (expected - region) * 2 / 3 + region
    assert value(name, labels, wider) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", list_losses())
def test_nothing_valid_gives_0(name):
    labels, logits = batch(9)
    assert value(name, np.full_like(labels, 255), logits, ignore_class=255) == 0.0


def test_binary_dice_without_foreground_is_0():
    _, logits = batch(9, shape=(*SHAPE[:-1], 1))
    assert value("dice", np.zeros(SHAPE[:-1], int), logits) == 0.0


# unified_focal knows which class is the background.
@pytest.mark.parametrize("name", sorted({*list_losses()} - {"unified_focal"}))
@properties
@given(seed=seeds, order=st.permutations(range(3)))
def test_renaming_the_classes_changes_nothing(name, seed, order):
    labels, logits = batch(seed)
    weights = np.array([1.0, 2.0, 3.0])
    renamed = np.argsort(order)[labels]
    before = value(name, labels, logits, class_weights=weights)
    after = value(name, renamed, logits[..., order], class_weights=weights[order])
    assert after == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("name", list_losses())
@properties
@given(seed=seeds, garbage=st.sampled_from([1e4, math.inf, math.nan]))
def test_what_is_predicted_at_void_pixels_changes_nothing(name, seed, garbage):
    labels, logits = batch(seed, 255)
    other = np.where((labels == 255)[..., None], np.float32(garbage), logits)
    before = value(name, labels, logits, ignore_class=255)
    assert value(name, labels, other, ignore_class=255) == before


@pytest.mark.parametrize("name", list_losses())
@properties
@given(seed=seeds, factor=st.floats(1e-3, 1e3))
def test_scaling_all_class_weights_changes_nothing(name, seed, factor):
    labels, logits = batch(seed)
    before = value(name, labels, logits, class_weights=[1.0, 2.0, 0.5])
    after = value(name, labels, logits, class_weights=[factor, 2 * factor, 0.5 * factor])
    assert after == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("name", list_losses())
@properties
@given(seed=seeds)
def test_order_of_images_changes_nothing(name, seed):
    labels, logits = batch(seed)
    before = value(name, labels, logits)
    assert value(name, labels[::-1], logits[::-1]) == pytest.approx(before, rel=1e-5)


def test_centre_lines_do_not_depend_on_keras_data_format():
    expected = value("cl_dice", *batch(0), iterations=1)
    keras.config.set_image_data_format("channels_first")
    try:
        assert value("cl_dice", *batch(0), iterations=1) == expected
    finally:
        keras.config.set_image_data_format("channels_last")
