"""Losses of at most four pixels with the arithmetic beside them, and losses of hard masks."""

import numpy as np
import pytest
from sklearn import metrics as sk

from kseg.losses import list_losses
from tests import oracles
from tests.losses.cases import value

# A row with labels 0 0 0 1, and the probability of class 1; of the true class 1, 1/2, 1, 3/4.
# Class 1: TP 0.75, FP 0.5, FN 0.25, TN 2.5; class 0: TP 2.5, FP 0.25, FN 0.5, TN 0.75.
# -log 1/2 = 0.693147, -log 3/4 = 0.287682.
LABELS, CHANCES = [0, 0, 0, 1], [0.0, 0.5, 0.0, 0.75]

# Loss: with two channels, with a sigmoid channel.
VALUES = {
    # two: of the yes and the no at each pixel one has weight 0.25 and one 0.75, half of c_focal
    # one: (0.75 * 0.25 * 0.693147 + 0.25 * 0.0625 * 0.287682) / 4
    "b_focal": (0.023908, 0.033615),
    # as ce, in both channels
    "bce": (0.245207, 0.245207),
    # distances to the boundary 2.5 1.5 0.5 0.5: (1.5 * 0.5 + 0.5 * 0.25) / 4 for both classes
    "boundary": (0.218750, 0.218750),
    # ((1/2)² 0.693147 + (1/4)² 0.287682) / 4
    "c_focal": (0.047817, 0.047817),
    # (0.693147 + 0.287682) / 4
    "ce": (0.245207, 0.245207),
    # class 1: 0.75 / (1.5 + 0.75), class 0: 0.75 / (5 + 0.75) = 0.130435
    "dice": (0.231884, 0.333333),
    # every weight 2: as ce
    "edge_weighted_ce": (0.245207, 0.245207),
    # 0.302326 ** 0.75 and 0.145299 ** 0.75 = 0.235341
    "f_tversky": (0.321528, 0.407715),
    # w = 1 / 1², 1 / 3²: 1 - 2 (0.75 + 2.5 / 9) / (2.25 + 5.75 / 9), both classes in any case
    "g_dice": (0.288462, 0.288462),
    # class 1: 0.75 / 1.5, class 0: 0.75 / 3.25 = 0.230769
    "jaccard": (0.365385, 0.5),
    # class 1: mistakes of 0.5 (outside) and 0.25 lose 1/2, then 2/2: 0.25 * 0.5 + 0.25 * 1
    # class 0: 0.5 (inside) and 0.25 lose 1/3, then 2/4: 0.25 / 3 + 0.25 / 2 = 0.208333
    "lovasz": (0.291667, 0.375),
    # (0.75 * 2.5 - 0.5 * 0.25) / sqrt(1.25 * 1 * 3 * 2.75) = 1.75 / 3.211308 for both classes
    "mcc": (0.455051, 0.455051),
    # the second pixel alone is below 0.7
    "ohem_ce": (0.693147, 0.693147),
    # class 1: 0.3 * 0.5 + 0.7 * 0.25 = 0.325, / 1.075; class 0: 0.425 / 2.925 = 0.145299
    "tversky": (0.223812, 0.302326),
    # even weights: as ce
    "weighted_ce": (0.245207, 0.245207),
}
# Loss: options, labels, chances of class 1 (or of every channel), value.
MORE = [
    # weights 1 1 1 3: (0.693147 + 3 * 0.287682) / 6
    ("weighted_ce", {"class_weights": [1, 3]}, LABELS, CHANCES, 0.259366),
    # half of the pixels: the two that are not right
    ("ohem_ce", {"min_kept": 0.5}, LABELS, CHANCES, 0.490415),
    # channels (1/2, 1/4), label 0: (-log 1/2 - log 3/4) / 2
    ("bce", {}, [0], [[0.5, 0.25]], 0.490415),
    # (0.25 * (1/2)² 0.693147 + 0.75 * (1/4)² 0.287682) / 2
    ("b_focal", {}, [0], [[0.5, 0.25]], 0.028403),
    # prediction 0 1 0 1: distances 3 2 1 1 and 1 1 1 1: (0.75² (4 + 1) + 0.25² (1 + 1)) / 4
    ("hausdorff", {}, LABELS, [0.0, 0.75, 0.0, 0.75], 0.734375),
    # a line of one pixel is its centre line: clDice of 0.75 / 1.25 and 0.75 is 2/3, as Dice
    ("cl_dice", {"class_ids": [1]}, LABELS, CHANCES, 0.333333),
    # the truth's line shrinks to its last pixel, the prediction's is 0 0.5 0.5 0.5:
    # 1.5 / 1.5 in the truth, 0.5 / 1 found: 1/3 lost; Dice 0.5 / 5.5 = 0.090909
    ("cl_dice", {"class_ids": [1]}, [0, 1, 1, 1], [0.0, 1.0, 1.0, 0.5], 0.212121),
    # pixels: (0.4 sqrt(1/2) 0.693147 + 0.6 * 0.287682) / 4 = 0.092165
    # class 1: (0.4 * 0.5 + 0.6 * 0.25) / 1.1 = 0.318182, its root 0.564076
    # class 0: (0.4 * 0.25 + 0.6 * 0.5) / 2.9 = 0.137931; (0.092165 + 0.351004) / 2
    ("unified_focal", {}, LABELS, CHANCES, 0.221584),
    # symmetric: pixels with 0.6 sqrt(1/4) 0.287682: 0.070589; root of class 0: 0.371391
    ("unified_focal", {"asymmetric": False}, LABELS, CHANCES, 0.269161),
    # smooth 1: class 1: 0.75 / (2.25 + 1), class 0: 0.75 / (5.75 + 1)
    ("dice", {"smooth": 1.0}, LABELS, CHANCES, 0.170940),
    # label smoothing 0.1: 0.95 log 2 + 0.05 log 2 stays; one pixel of 3/4: 0.95 * 0.287682 +
    # 0.05 * 1.386294
    ("ce", {"label_smoothing": 0.1}, [1], [0.75], 0.342612),
]
# Labels 0 1 predicted as 1 0, a probability of 0 being 1e-7: -log 1e-7 = 16.118096.
COSTS = 16.118096
SUMS = ["bce_dice", "bce_jaccard", "ce_dice", "ce_jaccard", "edge_weighted_ce_dice"]
ALL_WRONG = {
    "b_focal": COSTS / 2,  # weights 0.25 and 0.75
    "boundary": 0.5,  # half a pixel away
    "hausdorff": 2.0,  # one pixel from both boundaries
    "mcc": 2.0,
    "unified_focal": (COSTS / 2 + 1) / 2,  # weights 0.4 and 0.6
    **dict.fromkeys(["bce", "c_focal", "ce", "edge_weighted_ce", "ohem_ce", "weighted_ce"], COSTS),
    **dict.fromkeys(["cl_dice", "dice", "f_tversky", "g_dice", "jaccard", "lovasz", "tversky"], 1),
    **dict.fromkeys(SUMS, COSTS + 1),
}
# Labels 0 0, probabilities of class 1 0.25 and 0. Class 0: TP 1.75, FN 0.25, FP 0.
CLASS_0_ALONE = {
    "boundary": 0.0,  # there is none
    "cl_dice": 0.033333,  # all of the prediction's line is inside, the truth has none; Dice / 2
    "dice": 0.066667,  # 0.25 / 3.75
    "f_tversky": 0.165560,  # 0.090909 ** 0.75
    "g_dice": 0.066667,
    "hausdorff": 0.0,
    "jaccard": 0.125,  # 0.25 / 2
    "lovasz": 0.125,  # 0.25 * 1/2
    "mcc": 0.0,  # a class that is everywhere does not count
    "tversky": 0.090909,  # 0.7 * 0.25 / 1.925
}


def row(name, labels, chances, **options):
    """Return the loss of one row of pixels."""
    scores = np.array(chances, "float32")
    if scores.ndim == 1:
        scores = np.stack([1 - scores, scores], -1)
    return value(name, np.array([[labels]]), scores[None, None], from_logits=False, **options)


def close(expected):
    return pytest.approx(expected, rel=1e-5, abs=2e-6)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_four_pixels_by_hand(name):
    one_channel = [[chance] for chance in CHANCES]
    assert row(name, LABELS, CHANCES) == close(VALUES[name][0])
    assert row(name, LABELS, one_channel) == close(VALUES[name][1])


@pytest.mark.parametrize("name", SUMS)
def test_sums_have_unit_weights(name):
    parts = [VALUES[part] for part in name.rsplit("_", 1)]
    assert row(name, LABELS, CHANCES) == close(parts[0][0] + parts[1][0])


@pytest.mark.parametrize(("name", "options", "labels", "chances", "expected"), MORE)
def test_more_by_hand(name, options, labels, chances, expected):
    assert row(name, labels, chances, **options) == close(expected)


def test_every_loss_is_computed_by_hand():
    assert {*VALUES, *SUMS, *[case[0] for case in MORE]} == set(list_losses()) == set(ALL_WRONG)


@pytest.mark.parametrize("name", list_losses())
def test_perfect_and_all_wrong_predictions(name):
    assert row(name, [0, 1], [0.0, 1.0]) == close(0.0)
    assert row(name, [0, 1], [1.0, 0.0]) == close(ALL_WRONG[name])


@pytest.mark.parametrize("name", sorted(CLASS_0_ALONE))
def test_a_class_without_truth_is_neither_good_nor_bad(name):
    assert row(name, [0, 0], [0.25, 0.0]) == close(CLASS_0_ALONE[name])
    # Predicted nowhere, it counts as little.
    wider = [[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]]
    assert row(name, [0, 0], wider) == close(CLASS_0_ALONE[name])
    if name != "g_dice":
        assert row(name, [0, 0], [[0.25], [0.0]]) == 0.0


@pytest.mark.parametrize("name", list_losses())
def test_a_sigmoid_channel_that_is_rightly_empty_costs_nothing(name):
    assert row(name, [0, 0], [[0.0], [0.0]]) == close(0.0)


@pytest.mark.parametrize("name", list_losses())
@pytest.mark.parametrize("size", [1, 4, 8])
def test_a_thick_object_found_whole_costs_nothing(name, size):
    labels = np.zeros((1, 24, 24), int)
    labels[0, 8 - size : 8 + size, 8 - size : 8 + size] = 1
    assert value(name, labels, np.eye(2, dtype="float32")[labels], from_logits=False) == close(0.0)


def test_hard_pixels_are_hard_by_their_probability_whatever_the_label_smoothing():
    # p of the true class 0.999, 0.999, 0.2: the last is below 0.7, with smoothing it costs
    # 0.9 * 1.609438 - 0.1 (log 0.2 + 2 log 0.4) / 3 = 1.563228
    chances = [[0.999, 0.0005, 0.0005], [0.999, 0.0005, 0.0005], [0.2, 0.4, 0.4]]
    assert row("ohem_ce", [0, 0, 0], chances) == close(1.609438)
    assert row("ohem_ce", [0, 0, 0], chances, label_smoothing=0.1) == close(1.563228)


def random_batch(seed):
    """Return labels and float32 probabilities of 3 images and 3 classes."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2, size=(3, 7, 5, 3))
    return rng.integers(0, 3, (3, 7, 5)), oracles.softmax(logits).astype("float32")


def test_hard_masks_give_the_scores_of_scikit_learn():
    labels, scores = random_batch(3)
    hard = np.eye(3, dtype="float32")[scores.argmax(-1)]
    masks = labels.ravel(), scores.argmax(-1).ravel()
    one = {"class_ids": [1], "from_logits": False}
    both = [mask == 1 for mask in masks]
    # (1 + b²) TP / ((1 + b²) TP + FP + b² FN) is Tversky's ratio of 1 / 5 and 4 / 5 for b = 2.
    f2 = {"alpha": 0.2, "beta": 0.8}
    iou = sk.jaccard_score(*masks, average="macro")
    assert value("jaccard", labels, hard, from_logits=False) == pytest.approx(1 - iou)
    assert value("lovasz", labels, hard, from_logits=False) == pytest.approx(1 - iou)
    assert value("dice", labels, hard, **one) == pytest.approx(1 - sk.f1_score(*both))
    assert value("tversky", labels, hard, **one, **f2) == pytest.approx(
        1 - sk.fbeta_score(*both, beta=2)
    )
    assert value("mcc", labels, hard, **one) == pytest.approx(1 - sk.matthews_corrcoef(*both))


def test_lovasz_is_its_definition_by_sets_of_pixels():
    # The extension of a set function f: sum of m_i (f({1..i}) - f({1..i-1})), errors m falling.
    labels, scores = random_batch(4)
    values = []
    for c in range(3):
        truth = set(np.flatnonzero(labels == c))
        errors = np.abs((labels == c) - scores[..., c].astype("float64")).ravel()
        mistakes, lost, total = set(), 0.0, 0.0
        for pixel in np.argsort(-errors):
            mistakes.add(pixel)
            now = 1 - len(truth - mistakes) / len(truth | mistakes)
            total += errors[pixel] * (now - lost)
            lost = now
        values.append(total)
    found = value("lovasz", labels, scores, from_logits=False)
    assert found == pytest.approx(np.mean(values), rel=1e-5)


def test_equally_easy_pixels_share_the_places_of_ohem_ce():
    # 16 pixels, a quarter of which counts: 1 with p 0.25 and 15 with p 1 for the other 3 places.
    # (-log 0.25 + 15 * 3/15 * 0) / 4 = 0.346574
    p = np.ones((1, 4, 4, 2), "float32") * [1, 0]
    p[0, 0, 0] = 0.25, 0.75
    found = value("ohem_ce", np.zeros((1, 4, 4)), p, min_kept=0.25, from_logits=False)
    assert found == pytest.approx(0.346574, abs=1e-6)
