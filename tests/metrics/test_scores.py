import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sk_confusion

from kseg.metrics import (
    SegmentationMetrics,
    SegmentationScore,
    confusion_matrix,
    get_metric,
    list_metrics,
)
from tests import oracles

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def batch(seed, num_classes=4, images=6):
    """Labels without the last class, and predictions with it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes - 1, (images, 5, 4))
    return truth, rng.integers(0, num_classes, truth.shape)


def scored(name, truth, prediction, num_classes=4, **options):
    metric = get_metric(name, num_classes, **options)
    metric.update_state(truth, prediction)
    return keras.ops.convert_to_numpy(metric.result())


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


def test_scores_before_the_first_pixel_are_0():
    metric = SegmentationMetrics(3, list_metrics())
    assert {float(value) for value in metric.result().values()} == {0.0}


def test_every_form_of_truth_and_prediction_gives_one_matrix():
    truth, prediction = batch(2)
    logits = np.random.default_rng(0).normal(size=(*truth.shape, 4)).astype("float32")
    np.put_along_axis(logits, prediction[..., None], 9.0, -1)
    chances = oracles.softmax(logits).astype("float16")
    expected = sk_confusion(truth.ravel(), prediction.ravel(), labels=range(4))
    one_hot = np.eye(4, dtype="float32")[truth]
    for labels in (truth, truth[..., None], truth.astype("uint8"), one_hot, truth.astype(float)):
        for scores in (prediction, prediction[..., None].astype("uint8"), logits, chances):
            metric = SegmentationMetrics(4)
            metric.update_state(labels, scores)
            np.testing.assert_array_equal(metric.confusion_matrix(), expected)


@pytest.mark.parametrize(("from_logits", "split"), [(True, 0.0), (False, 0.5)])
def test_a_sigmoid_channel_counts_as_two_classes(from_logits, split):
    rng = np.random.default_rng(3)
    truth, scores = rng.integers(0, 2, (2, 5, 4)), rng.normal(split, 1, (2, 5, 4, 1))
    expected = sk_confusion(truth.ravel(), scores.ravel() > split)
    for labels in (truth, truth[..., None], truth.astype(bool)):
        metric = SegmentationMetrics(1, from_logits=from_logits)
        metric.update_state(labels, scores.astype("float32"))
        np.testing.assert_array_equal(metric.confusion_matrix(), expected)


@pytest.mark.parametrize("void", [255, -1])
def test_void_pixels_are_not_counted(void):
    truth, prediction = batch(4)
    labels = truth.copy()
    labels[:, 2:] = void
    metric = SegmentationMetrics(4, ignore_class=void)
    metric.update_state(labels, prediction)
    expected = confusion_matrix(truth[:, :2], prediction[:, :2], 4)
    np.testing.assert_array_equal(metric.confusion_matrix(), expected)
    np.testing.assert_array_equal(confusion_matrix(labels, prediction, 4, void), expected)


def test_an_all_zero_one_hot_row_is_void():
    truth, prediction = batch(5)
    one_hot = np.eye(4)[truth]
    one_hot[:, 2:] = 0
    metric = SegmentationMetrics(4)
    metric.update_state(one_hot, prediction)
    expected = confusion_matrix(truth[:, :2], prediction[:, :2], 4)
    np.testing.assert_array_equal(metric.confusion_matrix(), expected)


def test_counts_beyond_int32_are_exact():
    metric = SegmentationMetrics(2, ["pixel_accuracy"])
    # 5 * 2**31 + 7 right pixels, as the limbs hold them, and three wrong ones.
    metric.low.assign(np.array([[7, 3], [0, 0]]))
    metric.high.assign(np.array([[5 * 2**11, 0], [0, 0]]))
    metric.update_state(np.zeros((1, 3, 3), int), np.zeros((1, 3, 3), int))
    assert metric.confusion_matrix().tolist() == [[5 * 2**31 + 16, 3], [0, 0]]
    assert float(metric.result()["pixel_accuracy"]) == pytest.approx(1.0)


def test_a_full_limb_carries():
    metric = SegmentationMetrics(2)
    metric.low.assign(np.array([[2**20 - 1, 0], [0, 0]]))
    metric.update_state(np.zeros((1, 1, 2), int), np.zeros((1, 1, 2), int))
    assert keras.ops.convert_to_numpy(metric.low).tolist() == [[1, 0], [0, 0]]
    assert metric.confusion_matrix()[0, 0] == 2**20 + 1


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


@properties
@given(seed=seeds, garbage=st.integers(-300, 300))
def test_what_is_predicted_at_void_pixels_changes_nothing(seed, garbage):
    truth, prediction = batch(seed)
    truth[:, 1] = 255
    other = np.where(truth == 255, garbage, prediction)
    for count in (confusion_matrix(truth, p, 4, 255) for p in (prediction, other)):
        assert count.sum() == (truth != 255).sum()
    found = [scored("iou_score", truth, p, ignore_class=255) for p in (prediction, other)]
    assert found[0] == found[1]


def test_the_numpy_matrix_equals_scikit_learn():
    truth, prediction = batch(6)
    expected = sk_confusion(truth.ravel(), prediction.ravel(), labels=range(4))
    found = confusion_matrix(truth.astype("uint8"), prediction.astype("uint8"), 4)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


TRUTH, PREDICTION = batch(7)
LOGITS = np.eye(4, dtype="float32")[PREDICTION]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: get_metric("iou", 3), "Unknown metric 'iou'; did you mean 'iou_score'"),
        (lambda: SegmentationMetrics(3, ["dice"]), "did you mean 'dice_score'"),
        (lambda: get_metric("presicion", 3), "did you mean 'precision'"),
        (lambda: SegmentationMetrics(3, []), "at least one name"),
        (lambda: SegmentationMetrics(0), "num_classes must be a whole number from 1 on, got 0"),
        (lambda: SegmentationMetrics(3, average="mean"), "average must be one of .* got 'mean'"),
        (lambda: SegmentationMetrics(3, ignore_class=0.5), "ignore_class must be a whole number"),
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


def test_a_score_is_named_after_itself_and_restores_its_options():
    metric = SegmentationScore(3, "f2_score", average="micro", ignore_class=255)
    assert metric.name == "f2_score"
    restored = SegmentationScore.from_config(metric.get_config())
    assert restored.get_config() == metric.get_config()
