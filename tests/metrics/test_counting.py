import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sk_confusion

from kseg.metrics import SegmentationMetrics, confusion_matrix
from kseg.metrics.counting import count_batch
from tests import oracles
from tests.metrics.cases import batch, properties, scored, seeds


def test_every_form_of_truth_and_prediction_gives_one_matrix():
    truth, prediction = batch(2)
    logits = np.random.default_rng(0).normal(size=(*truth.shape, 4)).astype("float32")
    np.put_along_axis(logits, prediction[..., None], 9.0, -1)
    chances = oracles.softmax(logits).astype("float16")
    expected = sk_confusion(truth.ravel(), prediction.ravel(), labels=range(4))
    one_hot = np.eye(4, dtype="float32")[truth]
    forms = (truth, truth[..., None], truth.astype("uint8"), truth.astype(float))
    for labels in (*forms, one_hot, one_hot.astype(bool)):
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


@pytest.mark.parametrize("num_classes", [2, 3])
def test_counts_of_one_batch_beyond_float32_are_exact(num_classes):
    # float32 sums of ones stop at 2**24.
    labels = np.zeros((1, 2**24 + 9), "uint8")
    labels[0, -1] = 1
    counts = keras.ops.convert_to_numpy(count_batch(labels, labels, num_classes))
    assert counts.dtype == np.int32
    assert counts.diagonal()[:2].tolist() == [2**24 + 8, 1]


def test_every_image_gets_a_matrix_of_its_own():
    truth, prediction = batch(10)
    truth[1] = 255
    found = count_batch(truth, prediction, 4, ignore_class=255, per_image=True)
    pairs = zip(truth, prediction, strict=True)
    expected = [confusion_matrix(t, p, 4, 255) for t, p in pairs]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)
