import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.metrics.boundary import boundary_iou
from kseg.metrics.surface import (
    average_symmetric_surface_distance,
    hausdorff_distance,
    surface_dice,
)
from kseg.metrics.surface_report import surface_report

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def labels(seed):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 3, (2, 6, 8))
    return np.kron(coarse, np.ones((1, 5, 5), int))


def test_the_report_holds_the_scores_of_each_class():
    truth, prediction = labels(0)
    report = surface_report(truth, prediction, 4, tolerance=2.0, spacing=(0.5, 1))
    assert list(report.classes) == [0, 1, 2, 3]
    assert report.spacing == (0.5, 1.0)
    for label in range(3):
        masks, scores = (truth == label, prediction == label), report.classes[label]
        options = {"spacing": (0.5, 1)}
        assert scores.hausdorff == hausdorff_distance(*masks, **options)
        assert scores.hausdorff_95 == hausdorff_distance(*masks, percentile=95, **options)
        assert scores.average_distance == average_symmetric_surface_distance(*masks, **options)
        assert scores.surface_dice == surface_dice(*masks, tolerance=2.0, **options)
        assert scores.boundary_iou == boundary_iou(*masks)
        assert (scores.support, scores.predicted) == tuple(mask.sum() for mask in masks)
    absent = report.to_dict()["classes"][3]
    assert (absent["hausdorff"], absent["surface_dice"], absent["support"]) == (0, 1, 0)


def test_a_boundary_inside_a_void_rim_is_right_and_one_beyond_is_not():
    truth = np.array([[0, 0, 0, 9, 9, 1, 1, 1, 1, 9, 0, 0]])
    inside = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0]])
    beyond = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0]])
    options = {"tolerance": 1, "ignore_class": 9}
    assert surface_report(truth, inside, 2, **options).classes[1].hausdorff == 0
    # The column after the void one is 2 from the last column of the truth.
    scores = surface_report(truth, beyond, 2, **options).classes[1]
    assert (scores.hausdorff, scores.support, scores.predicted) == (2, 4, 5)
    assert scores.surface_dice == pytest.approx((4 + 4) / (4 + 5))


@properties
@given(seed=seeds, garbage=st.integers(-9, 300), void=st.sampled_from([255, -1, 2]))
def test_what_is_predicted_at_void_pixels_changes_no_report(seed, garbage, void):
    truth, prediction = labels(seed)
    truth[5:15] = void
    prediction[prediction == void] = 0
    spoilt = np.where(truth == void, garbage, prediction)
    reports = [
        surface_report(truth, guess, 3, tolerance=1, ignore_class=void)
        for guess in (prediction, spoilt)
    ]
    assert reports[0] == reports[1]
    assert void not in reports[0].classes


@properties
@given(seed=seeds, order=st.permutations(range(3)))
def test_renaming_the_classes_renames_their_scores(seed, order):
    truth, prediction = labels(seed)
    before = surface_report(truth, prediction, 3, tolerance=1).classes
    after = surface_report(np.array(order)[truth], np.array(order)[prediction], 3, tolerance=1)
    assert [after.classes[order[label]] for label in range(3)] == list(before.values())


TRUTH, PREDICTION = labels(0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: surface_report(TRUTH, PREDICTION, 2, tolerance=1), "truth holds label 2"),
        (lambda: surface_report(TRUTH, PREDICTION + 1, 3, tolerance=1), "prediction holds label 3"),
        (lambda: surface_report(TRUTH, PREDICTION[:9], 3, tolerance=1), "both must agree"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
