import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.metrics.calibration import CalibrationBins, expected_calibration_error
from tests import oracles

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def batch(seed, num_classes=3):
    """Labels `(4, 6, 5)` and overconfident probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, max(num_classes, 2), (4, 6, 5))
    logits = rng.normal(0, 2, (*truth.shape, num_classes))
    if num_classes == 1:
        return truth, 1 / (1 + np.exp(-logits))
    return truth, oracles.softmax(logits)


def errors(truth, probabilities, num_bins=15, **options):
    bins = CalibrationBins(num_bins, **options)
    bins.update(truth, probabilities)
    return bins.ece, bins.mce


def test_by_hand():
    # Confidences 0.9 right, 0.8 wrong, 0.6 right, 0.6 right in the bins (0.5, 0.75], (0.75, 1]:
    # accuracy 1, confidence 0.6, gap 0.4; accuracy 0.5, confidence 0.85, gap 0.35.
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.4, 0.6]])
    bins = CalibrationBins(4)
    bins.update(np.array([0, 0, 0, 1]), probabilities)
    assert bins.ece == pytest.approx((2 * 0.4 + 2 * 0.35) / 4)
    assert bins.mce == pytest.approx(0.4)
    table = bins.table()
    assert [(row.lower, row.upper, row.count) for row in table] == [
        (0, 0.25, 0),
        (0.25, 0.5, 0),
        (0.5, 0.75, 2),
        (0.75, 1, 2),
    ]
    assert (table[2].accuracy, table[3].accuracy) == (1, 0.5)
    assert (table[2].confidence, table[3].confidence) == pytest.approx((0.6, 0.85))
    assert math.isnan(table[0].accuracy)


def test_the_upper_end_belongs_to_the_bin():
    bins = CalibrationBins(2)
    bins.update(np.array([0, 0]), np.array([[0.5, 0.5], [1, 0]]))
    assert [row.count for row in bins.table()] == [1, 1]


@pytest.mark.parametrize("num_bins", [1, 10, 15])
@pytest.mark.parametrize("num_classes", [2, 5])
def test_equals_torchmetrics(num_classes, num_bins):
    calibration = pytest.importorskip("torchmetrics.functional.classification")
    torch = pytest.importorskip("torch")
    truth, probabilities = batch(1, num_classes)
    truth[0, 0] = 255
    rows = torch.from_numpy(probabilities.reshape(-1, num_classes))
    labels = torch.from_numpy(truth.ravel())
    expected = [
        calibration.multiclass_calibration_error(
            rows, labels, num_classes, n_bins=num_bins, norm=norm, ignore_index=255
        )
        for norm in ("l1", "max")
    ]
    found = errors(truth, probabilities, num_bins, ignore_class=255)
    assert found == pytest.approx([float(value) for value in expected], abs=1e-6)


def test_a_sigmoid_channel_equals_its_two_classes():
    truth, foreground = batch(2, 1)
    expected = errors(truth, np.concatenate([1 - foreground, foreground], -1))
    assert errors(truth, foreground) == pytest.approx(expected)
    assert errors(truth[..., None], foreground) == pytest.approx(expected)
    assert expected_calibration_error(truth, foreground) == pytest.approx(expected[0])


def test_a_calibrated_prediction_has_no_error():
    # Of ten pixels at 0.7, seven are right.
    truth = np.array([0] * 7 + [1] * 3)
    found = expected_calibration_error(truth, np.tile([0.7, 0.3], (10, 1)))
    assert found == pytest.approx(0, abs=1e-12)


def test_before_the_first_pixel_there_is_no_error():
    bins = CalibrationBins(ignore_class=0)
    bins.update(np.zeros((1, 2, 2), int), np.full((1, 2, 2, 3), 1 / 3))
    assert math.isnan(bins.ece)
    assert math.isnan(bins.mce)
    assert [row.count for row in bins.table()] == [0] * 15


def test_float16_probabilities_are_taken():
    truth, probabilities = batch(3, 20)
    found = expected_calibration_error(truth, probabilities.astype("float16"))
    assert found == pytest.approx(expected_calibration_error(truth, probabilities), abs=1e-3)


@properties
@given(seed=seeds, cuts=st.lists(st.integers(1, 3), max_size=2, unique=True))
def test_the_split_into_batches_and_their_order_change_nothing(seed, cuts):
    truth, probabilities = batch(seed)
    bins = CalibrationBins()
    for part in reversed(np.split(np.arange(4), sorted(cuts))):
        bins.update(truth[part], probabilities[part])
    assert (bins.ece, bins.mce) == pytest.approx(errors(truth, probabilities), abs=1e-12)


@properties
@given(seed=seeds, order=st.permutations(range(3)))
def test_renaming_the_classes_changes_nothing(seed, order):
    truth, probabilities = batch(seed)
    renamed = probabilities[..., np.argsort(order)]
    found = errors(np.array(order)[truth], renamed)
    assert found == pytest.approx(errors(truth, probabilities), abs=1e-12)


@properties
@given(seed=seeds, void=st.sampled_from([255, -1, 2]))
def test_what_is_predicted_at_void_pixels_changes_nothing(seed, void):
    truth, probabilities = batch(seed)
    truth[0], spoilt = void, probabilities.copy()
    spoilt[0] = np.nan
    found = [errors(truth, guess, ignore_class=void) for guess in (probabilities, spoilt)]
    assert found[0] == found[1]


@properties
@given(seed=seeds, num_bins=st.integers(1, 30))
def test_the_expected_error_is_at_most_the_maximum(seed, num_bins):
    ece, mce = errors(*batch(seed), num_bins)
    assert 0 <= ece <= mce + 1e-12 <= 1 + 1e-12


TRUTH, CHANCES = batch(0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: CalibrationBins(0), "num_bins must be a whole number from 1 on, got 0"),
        (lambda: errors(TRUTH[1:], CHANCES), r"truth has shape \(3, 6, 5\), probabilities \(4, 6"),
        (lambda: errors(TRUTH, CHANCES[..., 0]), "C = 1 for a sigmoid channel"),
        (lambda: errors(TRUTH + 1, CHANCES), "truth holds label 3, expected 0 to 2"),
        (lambda: errors(TRUTH, np.log(CHANCES)), "expected probabilities from 0 to 1; logits need"),
        (lambda: errors(TRUTH, CHANCES * np.nan), "probabilities holds NaN, expected prob"),
        (lambda: errors(TRUTH, CHANCES / 2), "of a pixel sum to 0.5, expected 1; use softmax"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
