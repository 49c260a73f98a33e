import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import pair_confusion_matrix

from kseg.metrics.instances import membrane_instances, thin_borders
from kseg.metrics.membrane import best_over_thresholds, v_info, v_rand

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def cells(seed, shape=(40, 44), count=9, width=1):
    """Voronoi cells of random points and the membrane between them, booleans."""
    points = np.random.default_rng(seed).random((count, 2)) * shape
    gaps = np.indices(shape)[:, None] - points.T[:, :, None, None]
    nearest, second = np.sort(np.hypot(*gaps), axis=0)[:2]
    return second - nearest < width


def maps(seed):
    """A true map and one of other cells, both with membranes."""
    return (membrane_instances(cells(seed + shift, width=2)) for shift in (0, 1))


def parts(score):
    return score.f_score, score.split, score.merge


def singled_out(truth, prediction):
    """Labels of both inside the true cells, predicted membrane pixels each for themselves."""
    truth, prediction = truth[truth > 0], prediction[truth > 0].astype(int)
    alone = np.flatnonzero(prediction == 0)
    prediction[alone] = 1000 + alone
    return truth, prediction


def test_a_split_and_a_merger_by_hand():
    # Shares t = 4/8, 4/8; s = 2/8, 6/8; p = 2/8, 2/8, 4/8.
    truth = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2]])
    prediction = np.array([[5, 5, 7, 7, 7, 7, 7, 7, 7]])
    p, t, s = (4 + 4 + 16) / 64, (16 + 16) / 64, (4 + 36) / 64
    expected = (2 * p / (s + t), p / t, p / s)
    assert parts(v_rand(truth, prediction)) == pytest.approx(expected)
    # H(t) = log 2, H(s) = 0.5623, H(t, s) = log 4 / 2 + log 2 / 2 = 1.5 log 2.
    h_t, h_s = np.log(2), -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    shared = h_t + h_s - 1.5 * np.log(2)
    expected = (2 * shared / (h_s + h_t), shared / h_s, shared / h_t)
    assert parts(v_info(truth, prediction)) == pytest.approx(expected)


def test_a_predicted_membrane_pixel_in_a_cell_is_a_group_of_its_own():
    # t = 4/4; s = p = 2/4, 1/4, 1/4 as two pixels are membrane.
    truth, prediction = np.array([[1, 1, 1, 1]]), np.array([[3, 3, 0, 0]])
    expected = (2 * 6 / (16 + 6), 6 / 16, 1)
    assert parts(v_rand(truth, prediction, thin=False)) == pytest.approx(expected)
    # Thinning floods it, as there is no other cell.
    assert parts(v_rand(truth, prediction)) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(4))
def test_v_rand_equals_scikit_learn(seed):
    truth, prediction = maps(seed)
    labels = singled_out(truth, prediction)
    # Ordered pairs of different pixels; each pixel with itself comes on top.
    (_, merged), (split, same) = pair_confusion_matrix(*labels)
    same += labels[0].size
    expected = (2 * same / (2 * same + split + merged), same / (same + split))
    found = v_rand(truth, prediction, thin=False)
    assert (found.f_score, found.split) == pytest.approx(expected)
    assert found.merge == pytest.approx(same / (same + merged))


@pytest.mark.parametrize("seed", range(4))
def test_v_rand_equals_scikit_image_on_pairs_of_different_pixels(seed):
    adapted = pytest.importorskip("skimage.metrics").adapted_rand_error
    cells_true, cells_predicted = maps(seed)
    truth, prediction = singled_out(cells_true, thin_borders(cells_predicted))
    # scikit-image 0.26 names them "precision, recall" but divides by the true pairs first.
    _, split, merge = adapted(truth, prediction)
    size = truth.size
    true, predicted = (np.sum(np.bincount(part) ** 2) for part in (truth, prediction))
    found = v_rand(cells_true, cells_predicted)
    assert found.split == pytest.approx((split * (true - size) + size) / true)
    assert found.merge == pytest.approx((merge * (predicted - size) + size) / predicted)


@pytest.mark.parametrize("seed", range(4))
def test_v_info_equals_scikit_learn_and_scikit_image(seed):
    variation = pytest.importorskip("skimage.metrics").variation_of_information
    truth, prediction = maps(seed)
    labels = singled_out(truth, prediction)
    h_t, h_s = (stats.entropy(np.bincount(part)) for part in labels)
    shared = mutual_info_score(*labels)
    expected = (2 * shared / (h_s + h_t), shared / h_s, shared / h_t)
    found = v_info(truth, prediction, thin=False)
    assert parts(found) == pytest.approx(expected)
    splits, mergers = variation(*labels) * np.log(2)
    assert (found.split, found.merge) == pytest.approx((1 - splits / h_s, 1 - mergers / h_t))


def test_splits_and_mergers_are_told_apart():
    truth = membrane_instances(cells(0))
    one, many = (truth > 0).astype(int), np.where(np.arange(44) % 2, truth, truth + 100)
    for score in (v_rand, v_info):
        assert parts(score(truth, truth)) == (1, 1, 1)
        merged, split = score(truth, one), score(truth, np.where(truth, many, 0), thin=False)
        assert merged.split == 1 > merged.merge
        assert split.merge == pytest.approx(1)
        assert split.split < 0.9
    # Without entropy on one side there is nothing in common.
    assert parts(v_info(truth, one)) == (0, 1, 0)
    assert parts(v_info(one, one)) == (1, 1, 1)


def test_thinning_makes_the_width_of_membranes_count_little():
    truth, wide = (membrane_instances(cells(3, (90, 90), 6, width)) for width in (2, 8))
    for score in (v_rand, v_info):
        thin, thick = (score(truth, wide, thin=option).f_score for option in (True, False))
        assert thin > 0.95 > thick
    lines = thin_borders(wide) == 0
    assert 0 < lines.sum() < (wide == 0).sum() / 2
    assert (thin_borders(wide)[wide > 0] == wide[wide > 0]).all()


def test_a_thinned_membrane_is_one_line():
    wide = np.array([[1, 0, 0, 0, 2]] * 3)
    assert thin_borders(wide).tolist() == [[1, 1, 0, 2, 2]] * 3
    # Cells grow across sides: the line is where both are 2 or 3 steps away, not diagonals.
    corner = np.array([[1, 0, 0, 0, 2], [0, 0, 0, 0, 2], [0, 0, 0, 0, 2]])
    grown = [[1, 1, 0, 2, 2], [1, 1, 0, 2, 2], [1, 0, 2, 2, 2]]
    assert thin_borders(corner).tolist() == grown


def test_cells_are_connected_across_sides_only():
    membrane = np.array([[0, 1, 0], [1, 0, 0], [0, 0.5, 0]])
    assert membrane_instances(membrane).tolist() == [[1, 0, 2], [0, 2, 2], [3, 0, 2]]
    assert membrane_instances(membrane, 0.6)[2].tolist() == [2, 2, 2]
    assert membrane_instances(membrane > 0.9).dtype == np.int32


def test_the_best_threshold_closes_the_gap():
    truth = membrane_instances(cells(5, width=2))
    # A map that is right from 0.4 to 0.6: lower, cells vanish in noise; higher, membranes open.
    rng = np.random.default_rng(0)
    chances = np.where(truth == 0, 0.6, 0.35 * rng.random(truth.shape))
    for score in (v_rand, v_info):
        threshold, best = best_over_thresholds(truth, chances, score=score)
        assert threshold == 0.4
        assert parts(best) == (1, 1, 1)
        assert score(truth, membrane_instances(chances, 0.2)).f_score < 0.9
        assert best == score(truth, membrane_instances(chances, threshold))


def test_one_threshold_serves_all_images():
    truths = np.stack([membrane_instances(cells(seed, width=2)) for seed in (1, 2)])
    chances = np.where(truths == 0, [[[0.3]], [[0.8]]], 0.1)
    # The first map closes up to 0.3, the second up to 0.8: 0.2 and 0.3 serve both.
    assert best_over_thresholds(list(truths), list(chances))[0] == 0.2
    threshold, mean = best_over_thresholds(truths, chances, thresholds=[0.5])
    each = [v_rand(t, membrane_instances(c, 0.5)) for t, c in zip(truths, chances, strict=True)]
    assert threshold == 0.5
    assert mean.split == pytest.approx((each[0].split + each[1].split) / 2)


@properties
@given(seed=seeds, shift=st.integers(1, 10**12))
def test_renumbering_the_cells_changes_nothing(seed, shift):
    truth, prediction = maps(seed)
    names = np.random.default_rng(seed).permutation(prediction.max() + 1) + shift
    renamed = np.where(prediction > 0, names[prediction], 0)
    for score in (v_rand, v_info):
        found, expected = score(truth, renamed), score(truth, prediction)
        assert parts(found) == pytest.approx(parts(expected))


@properties
@given(seed=seeds)
def test_changing_places_swaps_split_and_merge_without_membranes(seed):
    one, other = (np.random.default_rng(seed + k).integers(1, 5, (9, 8)) for k in (0, 1))
    for score in (v_rand, v_info):
        there, back = score(one, other), score(other, one)
        assert (there.f_score, there.split, there.merge) == pytest.approx(
            (back.f_score, back.merge, back.split)
        )


@properties
@given(seed=seeds)
def test_what_is_predicted_at_true_membranes_changes_nothing(seed):
    truth, prediction = maps(seed)
    other = np.where(truth == 0, 77, prediction)
    for score in (v_rand, v_info):
        assert score(truth, other, thin=False) == score(truth, prediction, thin=False)


CELLS = np.array([[1, 1, 0, 2]])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: v_rand(CELLS, CELLS[:, :2]), r"shape \(1, 4\), prediction \(1, 2\)"),
        (lambda: v_rand(CELLS * 0, CELLS), "truth has no cell"),
        (lambda: v_rand(CELLS > 0, CELLS), "truth must number its cells .* got bool"),
        (lambda: v_info(CELLS, CELLS * 0.5), "prediction must number its cells .* got float64"),
        (lambda: v_info(CELLS, CELLS - 1), "got int64 from -1"),
        (lambda: membrane_instances(np.zeros((2, 3, 3))), r"shape \(2, 3, 3\), expected one image"),
        (lambda: membrane_instances(CELLS * 255), "values from 0 to 510, expected probabilities"),
        (lambda: best_over_thresholds([], []), "0 images of truth, 0 of membrane"),
        (lambda: best_over_thresholds(CELLS, CELLS / 2, thresholds=[]), "0 thresholds"),
        (lambda: best_over_thresholds([CELLS], [CELLS / 2] * 2), "1 images of truth, 2 of memb"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
