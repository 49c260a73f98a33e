import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kseg.metrics import SegmentationMetrics, SegmentationScore, get_metric
from kseg.metrics.limbs import add_limbs, fraction_limbs, fraction_sum
from kseg.metrics.scores import list_per_image
from tests import oracles
from tests.metrics.cases import batch, properties, scored, seeds

# truth and prediction of three images; the third has no valid pixel.
TRUTH = np.array([[[0, 0, 0, 1]], [[0, 0, 0, 0]], [[255] * 4]])
PREDICTION = np.array([[[0, 0, 1, 1]], [[0, 0, 0, 1]], [[0, 1, 0, 1]]])


def per_image(name, truth, prediction, num_classes=4, **options):
    return scored(name, truth, prediction, num_classes, average="per_image", **options)


def test_hand_computed_means_of_images_and_of_the_data_set():
    # Images: (2/3 + 1/2) / 2 and 3/4, as class 1 has no truth pixel in the second.
    found = per_image("iou_score", TRUTH, PREDICTION, 2, ignore_class=255)
    assert found == pytest.approx(((2 / 3 + 1 / 2) / 2 + 3 / 4) / 2)
    # Data set: class 0 has 5 hits, 2 missed; class 1 one hit and two false alarms.
    found = scored("mean_iou", TRUTH, PREDICTION, 2, ignore_class=255)
    assert found == pytest.approx((5 / 7 + 1 / 3) / 2)


@pytest.mark.parametrize("name", list_per_image())
def test_equals_scikit_learn_on_every_image(name):
    truth, prediction = batch(1)
    truth[:, 0], truth[2] = 255, 255
    pairs = [(t[1:], p[1:]) for t, p in zip(truth, prediction, strict=True) if t.min() < 255]
    expected = np.mean([oracles.score(name, *pair, 4) for pair in pairs])
    assert len(pairs) == 5
    found = per_image(name, truth, prediction, ignore_class=255)
    assert found == pytest.approx(expected, abs=1e-6)


def test_equals_torchmetrics_where_every_image_has_every_class():
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("torchmetrics.segmentation")
    truth, prediction = batch(2)
    truth[:, 0] = [0, 1, 2, 3]
    pair = [torch.from_numpy(labels).cpu() for labels in (prediction, truth)]
    iou = oracle.MeanIoU(num_classes=4, input_format="index")(*pair)
    dice = oracle.DiceScore(
        num_classes=4, average="macro", input_format="index", aggregation_level="samplewise"
    )(*pair)
    assert per_image("iou_score", truth, prediction) == pytest.approx(float(iou), abs=1e-6)
    assert per_image("dice_score", truth, prediction) == pytest.approx(float(dice), abs=1e-6)


def test_every_form_of_truth_and_prediction_gives_one_value():
    truth, prediction = batch(3)
    one_hot, scores = (np.eye(4, dtype="float32")[labels] for labels in (truth, prediction))
    expected = per_image("f2_score", truth, prediction)
    for labels in (truth, truth[..., None], one_hot):
        for predicted in (prediction, prediction[..., None], scores):
            assert per_image("f2_score", labels, predicted) == expected


def test_a_sigmoid_channel_counts_as_two_classes():
    scores = np.where(PREDICTION == 1, 2.0, -2.0)[..., None]
    found = per_image("recall", TRUTH, scores, 1, ignore_class=255)
    assert found == per_image("recall", TRUTH, PREDICTION, 2, ignore_class=255)


@properties
@given(seed=seeds, cuts=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_the_split_into_batches_and_their_order_change_nothing(seed, cuts):
    truth, prediction = batch(seed)
    whole, parts = (SegmentationMetrics(4, list_per_image(), average="per_image") for _ in "ab")
    whole.update_state(truth, prediction)
    for part in reversed(np.split(np.arange(6), sorted(cuts))):
        parts.update_state(truth[part], prediction[part])
    expected = {name: float(value) for name, value in whole.result().items()}
    found = {name: float(value) for name, value in parts.result().items()}
    assert found == pytest.approx(expected, abs=1e-7)


@properties
@given(seed=seeds, order=st.permutations(range(4)))
def test_renaming_the_classes_changes_no_score(seed, order):
    truth, prediction = batch(seed)
    renamed = np.array(order)[truth], np.array(order)[prediction]
    for name in list_per_image():
        expected = per_image(name, truth, prediction)
        assert per_image(name, *renamed) == pytest.approx(expected, abs=1e-6)


@properties
@given(seed=seeds, garbage=st.integers(-300, 300))
def test_what_is_predicted_at_void_pixels_changes_nothing(seed, garbage):
    truth, prediction = batch(seed)
    truth[:, 1] = -1
    other = np.where(truth == -1, garbage, prediction)
    found = [per_image("dice_score", truth, p, ignore_class=-1) for p in (prediction, other)]
    assert found[0] == found[1]


def test_images_without_valid_pixels_do_not_count():
    metric = get_metric("iou_score", 2, average="per_image", ignore_class=255)
    assert float(metric.result()) == 0.0
    metric.update_state(TRUTH[2:], PREDICTION[2:])
    assert float(metric.result()) == 0.0
    metric.update_state(TRUTH[1:], PREDICTION[1:])
    assert float(metric.result()) == 0.75
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_a_million_images_keep_every_digit():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 2, (2, 125_000, 1, 3))
    metric = get_metric("iou_score", 2, average="per_image")
    hits = [((truth == c) & (prediction == c)).sum((1, 2)) for c in (0, 1)]
    unions = [((truth == c) | (prediction == c)).sum((1, 2)) for c in (0, 1)]
    seen = np.stack([(truth == c).any((1, 2)) for c in (0, 1)])
    values = np.divide(hits, unions, where=seen, out=np.zeros(seen.shape))
    expected = (values.sum(0) / seen.sum(0)).mean()
    for _ in range(8):
        metric.update_state(truth, prediction)
    assert int(metric.images) == 1_000_000
    assert float(metric.result()) == pytest.approx(expected, rel=2e-7)


def test_sums_of_values_are_exact_up_to_the_largest_batch():
    values = np.repeat([[1.0, 0.75, 2.0**-24, 0.0]], 2**18, axis=0).astype("float32")
    zeros = keras.ops.zeros(4, dtype="int32")
    limbs = add_limbs(*add_limbs(zeros, zeros, *fraction_limbs(values)), *fraction_limbs(values))
    found = keras.ops.convert_to_numpy(fraction_sum(*limbs))
    np.testing.assert_array_equal(found, 2.0**19 * values[0])


@pytest.mark.parametrize("name", ["mean_iou", "pixel_accuracy", "object_mean_iou", "kappa", "mcc"])
def test_scores_of_the_whole_data_set_have_no_mean_over_images(name):
    sentence = f"{name} is a score of the whole data set; .* take one of dice_score, .* specificity"
    for call in (lambda: get_metric(name, 3, average="per_image"), lambda: shared(name)):
        with pytest.raises(ValueError, match=sentence):
            call()


def shared(name):
    return SegmentationMetrics(3, ["iou_score", name], average="per_image")


def test_it_keeps_no_confusion_matrix():
    metric = SegmentationMetrics(2, average="per_image")
    with pytest.raises(ValueError, match="scores_per_image is a mean over images and keeps no"):
        metric.confusion_matrix()


def test_names_say_per_image_and_survive_the_config():
    single = get_metric("iou_score", 3, average="per_image")
    several = SegmentationMetrics(3, average="per_image", ignore_class=255)
    assert single.name == "iou_score_per_image"
    assert set(several.result()) == {"iou_score_per_image", "f1_score_per_image"}
    named = SegmentationScore(3, "recall", average="per_image", name="own")
    for metric in (single, several, named):
        config = keras.saving.serialize_keras_object(metric)
        restored = keras.saving.deserialize_keras_object(config)
        assert restored.get_config() == metric.get_config()
    with pytest.raises(ValueError, match="did you mean 'iou_score' with average='per_image'"):
        get_metric("iou_score_per_image", 3)
