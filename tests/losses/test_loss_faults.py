"""Options and batches that make no sense get one sentence."""

import math

import numpy as np
import pytest

from kseg.losses import CrossEntropy, WeightedSum, get_loss, register
from tests.losses.images import IMAGES, LABELS


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: get_loss("dise"), "did you mean 'dice'"),
        (lambda: get_loss("ce", smooth=1), "Unknown option of loss 'ce': 'smooth'"),
        (lambda: get_loss("dice", smoth=1), "did you mean 'smooth'"),
        (lambda: get_loss("dice", smooth=-1), "smooth must be at least 0, got -1"),
        (lambda: get_loss("ce", class_weights=[1, -2]), "class_weights must be at least 0"),
        (lambda: get_loss("ce", class_weights=[0, 0]), "not all 0"),
        (lambda: get_loss("ce", ignore_class=1.5), "ignore_class takes whole numbers, got 1.5"),
        (lambda: get_loss("dice", class_ids=[]), "class_ids needs classes"),
        (lambda: get_loss("dice", class_ids=[None]), "class_ids needs classes"),
        (lambda: get_loss("dice", class_ids=1), r"takes a list of classes .* got 1\."),
        (lambda: get_loss("dice", class_ids="12"), "takes a list of classes .* got '12'"),
        # As Keras' `fit` takes them; a loop over a dict gives its keys.
        (lambda: get_loss("ce", class_weights={0: 1, 1: 9}), "a list with a number per class, got"),
        (lambda: get_loss("ce", class_weights=2.0), "a list with a number per class, got 2.0"),
        (lambda: get_loss("ce", class_weights=[1, None]), "takes a list with a number per class"),
        (lambda: get_loss("c_focal", alpha={"0": 1}), "alpha takes a list with a number per class"),
        (lambda: get_loss("ce", from_logits="false"), "True or False, got 'false'"),
        (lambda: get_loss("dice", per_image="no"), "per_image must be True or False, got 'no'"),
        (lambda: get_loss("unified_focal", asymmetric="x"), "asymmetric must be True or False"),
        (lambda: -1 * get_loss("ce"), "Weights of losses must be at least 0"),
        (lambda: WeightedSum([]), "got 0 losses"),
        (lambda: register("ce")(CrossEntropy), "registered twice"),
        (lambda: get_loss("weighted_ce"), "weighted_ce needs class_weights"),
        (lambda: get_loss("ce", class_weights="enet"), "--class_weights enet"),
        (lambda: get_loss("ce", label_smoothing=2), "at least 0 and at most 1, got 2"),
        (lambda: get_loss("tversky", beta=0), "beta must be above 0, got 0"),
        (lambda: get_loss("tversky", alpha=math.nan), "alpha must be at least 0, got nan"),
        (lambda: get_loss("c_focal", alpha=[-1, 1]), "alpha must be at least 0"),
        (lambda: get_loss("b_focal", alpha=2), "alpha must be at least 0 and at most 1, got 2"),
        (lambda: get_loss("c_focal", gamma="2"), "gamma must be at least 0, got '2'"),
        (lambda: get_loss("ohem_ce", threshold=0), "threshold must be above 0 and at most 1"),
        (lambda: get_loss("cl_dice", iterations=2.5), "iterations takes whole numbers, got 2.5"),
        (lambda: get_loss("unified_focal", weight=2), "weight must be at least 0 and at most 1"),
        (lambda: get_loss("unified_focal", gama=1), "did you mean 'gamma'"),
        (
            lambda: get_loss("edge_weighted_ce") + get_loss("edge_weighted_ce", sigma=2),
            "one map of weights, but its losses need",
        ),
    ],
)
def test_bad_options_get_one_sentence(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize(
    ("options", "labels", "sentence"),
    [
        ({"class_weights": [1, 2]}, LABELS, "class_weights has 2 entries, .* 3 classes"),
        ({}, LABELS[:, :4], "y_true of shape .* does not fit y_pred"),
        ({}, LABELS[0], "y_true of shape .* does not fit y_pred"),
        ({}, np.eye(4)[LABELS], "y_true has 4 channels, y_pred has 3 classes"),
        ({}, LABELS + 1, "y_true holds 3, but labels are 0 to 2"),
        ({"ignore_class": 255}, LABELS - 1, "y_true holds -1, but labels are 0 to 2, or .*255"),
        ({}, LABELS + 0.5, "y_true holds"),
        ({}, np.eye(3)[LABELS] * 0.9, "y_true holds 0.9, but the channels of one-hot truth are"),
        ({}, np.eye(3)[LABELS] * 2 - 0.5, "y_true holds -0.5, but the channels of one-hot"),
    ],
)
def test_bad_batches_get_one_sentence(options, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_loss("ce_dice", **options)(labels, IMAGES)


@pytest.mark.parametrize(
    ("name", "weights", "sentence"),
    [
        ("edge_weighted_ce", None, "needs a map of weights"),
        ("edge_weighted_ce", np.ones(4), "needs a map of weights"),
        ("ce", np.ones((4, 8, 7)), "sample_weight of shape .* one number per image, or one per"),
        ("ce", -np.ones(LABELS.shape), "holds negative or NaN values"),
        ("dice", np.ones(LABELS.shape), "Dice compares regions and takes no map of weights"),
    ],
)
def test_bad_maps_of_weights_get_one_sentence(name, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_loss(name)(LABELS, IMAGES, sample_weight=weights)


def test_alpha_of_the_wrong_length_gets_one_sentence():
    with pytest.raises(ValueError, match="alpha has 2 entries, the prediction has 3 classes"):
        get_loss("c_focal", alpha=[1, 2])(LABELS, IMAGES)


def test_class_ids_beyond_the_prediction_get_one_sentence():
    with pytest.raises(ValueError, match="class_ids holds 3, the prediction has 3 classes"):
        get_loss("dice", class_ids=[3])(LABELS, IMAGES)
