import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from kseg.metrics.vessels import auc_in_mask, average_precision_in_mask, f1_in_mask

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def eyes(seed, images=3):
    """Images of different sizes with a round mask and scores of few values, so with ties."""
    rng = np.random.default_rng(seed)
    for _ in range(images):
        shape = rng.integers(12, 20, 2)
        truth = rng.random(shape) < 0.3
        scores = np.round(np.clip(0.3 * truth + rng.random(shape) * 0.8, 0, 1), 1)
        rows, columns = np.indices(shape) - (shape[:, None, None] - 1) / 2
        yield truth, scores, np.hypot(rows, columns) < shape.min() / 2


def lists(seed):
    return tuple(map(list, zip(*eyes(seed), strict=True)))


def flat(seed):
    truth, scores, mask = lists(seed)
    inside = [image.ravel() for image in mask]
    return tuple(
        np.concatenate([image.ravel()[keep] for image, keep in zip(images, inside, strict=True)])
        for images in (truth, scores)
    )


def test_by_hand_with_a_tie():
    # Vessels 0.9, 0.5 against 0.5, 0.1: pairs won 1, 1, tie 1/2, won 1 -> 3.5 / 4.
    truth, scores = np.array([[1, 1, 0, 0]]), np.array([[0.9, 0.5, 0.5, 0.1]])
    assert auc_in_mask(truth, scores) == 0.875
    # Recall 1/2 at precision 1/1, then 1/2 more at precision 2/3.
    assert average_precision_in_mask(truth, scores) == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)
    # Above 0.5 only the first: 2 * 1 / (2 + 1); above 0.4 three: 2 * 2 / (2 + 3).
    assert f1_in_mask(truth, scores) == pytest.approx(2 / 3)
    assert f1_in_mask(truth, scores, threshold=0.4) == pytest.approx(4 / 5)
    # Without the tied background pixel both vessels win.
    assert auc_in_mask(truth, scores, np.array([[255, 255, 0, 255]])) == 1


@pytest.mark.parametrize("seed", range(4))
def test_equals_scikit_learn(seed):
    images, (truth, scores) = lists(seed), flat(seed)
    assert auc_in_mask(*images) == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)
    expected = sk.average_precision_score(truth, scores)
    assert average_precision_in_mask(*images) == pytest.approx(expected, abs=1e-12)
    for threshold in (0.5, 0.35):
        expected = sk.f1_score(truth, scores > threshold)
        assert f1_in_mask(*images, threshold=threshold) == pytest.approx(expected)


def test_stacks_channels_and_lists_are_one_data_set():
    truth, scores, mask = (np.stack([image[:12, :12] for image in part]) for part in lists(5))
    expected = auc_in_mask(truth, scores, mask)
    assert auc_in_mask(list(truth), list(scores), list(mask)) == expected
    assert auc_in_mask(truth[..., None].astype("uint8"), scores[..., None], mask * 255) == expected


def test_float32_scores_of_many_pixels_are_ranked_exactly():
    rng = np.random.default_rng(0)
    truth = rng.random(200_000) < 0.1
    scores = (rng.normal(size=truth.size) + truth).astype("float32")
    assert auc_in_mask(truth, scores) == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)


def test_nothing_to_find_and_nothing_found_is_right():
    assert f1_in_mask(np.zeros((2, 3)), np.zeros((2, 3))) == 1
    assert f1_in_mask(np.zeros((2, 3)), np.ones((2, 3))) == 0


@properties
@given(seed=seeds)
def test_only_the_order_of_the_scores_matters(seed):
    truth, scores, mask = lists(seed)
    logits = [np.exp(3 * image) - 7 for image in scores]
    for score in (auc_in_mask, average_precision_in_mask):
        assert score(truth, logits, mask) == pytest.approx(score(truth, scores, mask))


@properties
@given(seed=seeds)
def test_swapping_vessel_and_background_mirrors_the_auc(seed):
    truth, scores, mask = lists(seed)
    mirrored = auc_in_mask([~image for image in truth], scores, mask)
    assert mirrored == pytest.approx(1 - auc_in_mask(truth, scores, mask))


@properties
@given(seed=seeds, value=st.floats(0, 1))
def test_scores_outside_the_mask_change_nothing(seed, value):
    truth, scores, mask = lists(seed)
    other = [np.where(keep, image, value) for image, keep in zip(scores, mask, strict=True)]
    for score in (auc_in_mask, average_precision_in_mask, f1_in_mask):
        assert score(truth, other, mask) == score(truth, scores, mask)


ONE = np.array([[1, 0, 1]])
P = np.array([[0.9, 0.2, 0.4]])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: auc_in_mask(ONE, P[:, :2]), r"shape \(1, 3\), probabilities \(1, 2\)"),
        (lambda: auc_in_mask(ONE, P, P[:, :2]), r"shape \(1, 3\), mask \(1, 2\)"),
        (lambda: auc_in_mask([ONE, ONE], [P]), "2 images of truth, 1 of probabilities"),
        (lambda: auc_in_mask([], []), "at least one"),
        (lambda: auc_in_mask(255 * ONE, P), "truth holds 255, expected booleans, or 0 and 1"),
        (lambda: auc_in_mask(ONE, P * np.nan), "NaN or infinity inside the mask"),
        (lambda: auc_in_mask(ONE * 0, P), "vessel and background .* got 0 and 3"),
        (lambda: auc_in_mask(ONE, P, ONE), "vessel and background .* got 2 and 0"),
        (lambda: average_precision_in_mask(ONE * 0, P), "needs vessel pixels"),
        (lambda: f1_in_mask(ONE, 9 * P), "values from 1.8 to 8.1, expected probabilities"),
        (lambda: f1_in_mask(ONE, P, threshold=128), "threshold must be between 0 and 1, got 128"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
