import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kseg.metrics import (
    SegmentationMetrics,
    SegmentationScore,
    confusion_matrix,
    get_metric,
    list_metrics,
)
from kseg.metrics.confusion import counts_of
from kseg.metrics.scores import get_score
from tests import oracles
from tests.metrics.cases import batch, properties, scored, seeds


def test_hand_computed_scores_of_three_classes():
    # truth      0 0 0 0 1 1    matrix  3 1 0    IoU 3/4, 1/3, absent
    # prediction 0 0 0 1 1 2            0 1 1    mean (0.75 + 0.3333) / 2 = 0.541667
    #                                   0 0 0
    truth, prediction = np.array([[[0, 0, 0, 0, 1, 1]]]), np.array([[[0, 0, 0, 1, 1, 2]]])
    expected = {
        "iou_score": 0.541667,
        "object_mean_iou": 1 / 3,
        "fw_iou": (4 * 0.75 + 2 / 3) / 6,
        "dice_score": (6 / 7 + 2 / 4) / 2,
        # F2 = 5 TP / (5 TP + 4 FN + FP): 15 / (15 + 4), 5 / (5 + 4 + 1)
        "f2_score": (15 / 19 + 5 / 10) / 2,
        "pixel_accuracy": 4 / 6,
        "mean_pixel_accuracy": (3 / 4 + 1 / 2) / 2,
        "precision": (3 / 3 + 1 / 2) / 2,
        "recall": (3 / 4 + 1 / 2) / 2,
        # 2 pixels are not of class 0, none of them found as 0; 4 not of class 1, one found.
        "specificity": (2 / 2 + 3 / 4) / 2,
        "mean_iou": 0.541667,
        # p_o = 4/6, p_e = (4*3 + 2*2 + 0*1) / 36 = 16/36
        "kappa": (24 - 16) / (36 - 16),
        # (4*6 - 16) / sqrt((36 - 3² - 2² - 1²) (36 - 4² - 2²)) = 8 / sqrt(22 * 16)
        "mcc": 0.426401,
    }
    found = {name: scored(name, truth, prediction, 3) for name in expected}
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", list_metrics())
def test_equals_scikit_learn(name, average):
    truth, prediction = batch(1)
    expected = oracles.score(name, truth, prediction, 4, average)
    assert scored(name, truth, prediction, average=average) == pytest.approx(expected, abs=1e-6)


def test_no_average_gives_classes_with_nan_for_absent_ones():
    truth, prediction = np.array([[[0, 0, 1]]]), np.array([[[0, 1, 1]]])
    found = scored("iou_score", truth, prediction, 3, average=None)
    np.testing.assert_allclose(found, [0.5, 0.5, np.nan], rtol=1e-6)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_scores_before_the_first_pixel_are_0(average):
    metric = SegmentationMetrics(3, list_metrics(), average=average)
    assert {float(value) for value in metric.result().values()} == {0.0}


def test_one_class_everywhere_has_no_false_alarm_and_no_correlation():
    ones = np.ones((1, 2, 2), int)
    found = {name: float(scored(name, ones, ones)) for name in ("specificity", "kappa", "mcc")}
    assert found == {"specificity": 1.0, "kappa": 0.0, "mcc": 0.0}


def test_the_opposite_of_two_classes_correlates_with_minus_1():
    truth = np.array([[[0, 0, 1, 1]]])
    assert scored("mcc", truth, 1 - truth, 2) == pytest.approx(-1.0)
    assert scored("kappa", truth, 1 - truth, 2) == pytest.approx(-1.0)


def test_the_mean_iou_is_one_whatever_the_average():
    truth, prediction = batch(8)
    expected = scored("iou_score", truth, prediction)
    for average in ("macro", "micro", "weighted", None):
        assert scored("mean_iou", truth, prediction, average=average) == expected


def exact_correlations(matrix):
    """Kappa and MCC with Python's whole numbers, by their usual formulas."""
    truth, predicted = matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist()
    total, right = sum(truth), int(np.trace(matrix))
    chance = sum(t * p for t, p in zip(truth, predicted, strict=True))
    spread = [total**2 - sum(count**2 for count in side) for side in (truth, predicted)]
    excess = right * total - chance
    return excess / (total**2 - chance), excess / (spread[0] ** 0.5 * spread[1] ** 0.5)


HUGE = 2**40
MATRICES = {
    "a rare class": [[HUGE, 3], [5, 7]],
    "a constant prediction": [[HUGE, 5], [HUGE, 10]],
    "two opposite classes": [[3, HUGE], [5, 1]],
    "three classes of all sizes": [[HUGE, 2**20, 9], [77, 2**25, 1], [2**30, 0, 12]],
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_float32_counts_of_2_to_the_40_keep_every_score(matrix):
    matrix = np.array(matrix)
    single = counts_of(keras.ops.convert_to_tensor(matrix.astype("float32")), keras.ops)
    double = counts_of(matrix.astype(np.float64), np)
    for name in list_metrics():
        found = float(get_score(name).value(single, keras.ops))
        assert found == pytest.approx(get_score(name).value(double, np), abs=5e-7), name
    found = [get_score(name).value(double, np) for name in ("kappa", "mcc")]
    assert found == pytest.approx(exact_correlations(matrix), abs=1e-12)


@properties
@given(seed=seeds, cuts=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_the_split_into_batches_and_their_order_change_nothing(seed, cuts):
    truth, prediction = batch(seed)
    whole, parts = SegmentationMetrics(4), SegmentationMetrics(4)
    whole.update_state(truth, prediction)
    for part in reversed(np.split(np.arange(6), sorted(cuts))):
        parts.update_state(truth[part], prediction[part])
    np.testing.assert_array_equal(parts.confusion_matrix(), whole.confusion_matrix())


@properties
@given(seed=seeds, order=st.permutations(range(4)))
def test_renaming_the_classes_changes_no_score_but_the_object_one(seed, order):
    truth, prediction = batch(seed)
    names = [name for name in list_metrics() if name != "object_mean_iou"]
    before, after = SegmentationMetrics(4, names), SegmentationMetrics(4, names)
    before.update_state(truth, prediction)
    after.update_state(np.array(order)[truth], np.array(order)[prediction])
    expected = {name: float(value) for name, value in before.result().items()}
    assert {k: float(v) for k, v in after.result().items()} == pytest.approx(expected, abs=1e-6)


TRUTH, PREDICTION = batch(7)
LOGITS = np.eye(4, dtype="float32")[PREDICTION]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: get_metric("iou", 3), "Unknown metric 'iou'; did you mean 'iou_score'"),
        (lambda: SegmentationMetrics(3, ["dice"]), "did you mean 'dice_score'"),
        (lambda: get_metric("presicion", 3), "did you mean 'precision'"),
        (lambda: get_metric("qqq", 3), "choose from iou_score, .* mcc"),
        (lambda: get_metric(["recall"], 3), "Unknown metric .'recall'."),
        (lambda: SegmentationMetrics(3, []), "at least one name"),
        (lambda: SegmentationMetrics(0), "num_classes must be a whole number from 1 on, got 0"),
        (lambda: SegmentationMetrics(3, average="mean"), "average must be one of .* got 'mean'"),
        (lambda: SegmentationMetrics(3, ignore_class=0.5), "ignore_class must be a whole number"),
        (lambda: SegmentationMetrics(1, from_logits="no"), "must be True or False, got 'no'"),
        (lambda: scored("recall", TRUTH, LOGITS, 3), "y_pred has 4 channels .* num_classes is 3"),
        (lambda: scored("recall", TRUTH[:, :2], LOGITS), "y_true gives labels .* y_pred gives"),
        (lambda: scored("recall", TRUTH + 2, LOGITS), "y_true holds label 4, expected 0 to 3"),
        (lambda: scored("recall", TRUTH + 0.5, LOGITS), "y_true holds label"),
        (lambda: scored("recall", TRUTH, PREDICTION + 4), "y_pred holds label"),
        (lambda: SegmentationMetrics(4).update_state(TRUTH, LOGITS, 2.0), "no sample_weight"),
        (lambda: confusion_matrix(TRUTH, TRUTH[0], 4), "truth has shape .* prediction"),
        (lambda: confusion_matrix(TRUTH - 1, TRUTH, 4, 255), "holds label -1, .* ignore_class=255"),
        (lambda: confusion_matrix(TRUTH, TRUTH + 4, 4), "prediction holds label"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize(
    ("wrong", "right"),
    {
        "miou": "mean_iou",
        "mIoU": "mean_iou",
        "iou": "iou_score",
        "dice": "dice_score",
        "accuracy": "pixel_accuracy",
        "Pixel Accuracy": "pixel_accuracy",
        "f1": "f1_score",
        "cohen_kappa": "kappa",
        "matthews_corrcoef": "mcc",
        "jaccard": "jaccard_score",
        "sensitivity": "recall",
        "mean_iu": "mean_iou",
    }.items(),
)
def test_names_in_use_elsewhere_get_a_hint(wrong, right):
    with pytest.raises(ValueError, match=f"Unknown metric '{wrong}'; did you mean '{right}'"):
        get_metric(wrong, 3)


def test_a_score_is_named_after_itself_and_restores_its_options():
    metric = SegmentationScore(3, "f2_score", average="micro", ignore_class=255)
    assert metric.name == "f2_score"
    restored = SegmentationScore.from_config(metric.get_config())
    assert restored.get_config() == metric.get_config()
