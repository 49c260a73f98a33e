"""Intervals from resampled images, and the counts that they are drawn from."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import f1_score, jaccard_score

from kseg.inference.evaluation.bootstrap import bootstrap_intervals, resampled_sums
from kseg.inference.evaluation.counts import ImageCounts, all_counts
from kseg.inference.evaluation.exact import OrderlessSum
from kseg.metrics import confusion_matrix


def images(count, classes=3, seed=0):
    """Label maps of images of different difficulty, and their predictions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, (count, 40))
    right = rng.random((count, 40)) < rng.uniform(0.3, 1, (count, 1))
    return truth, np.where(right, truth, rng.integers(0, classes, (count, 40)))


def counted(truth, predicted, classes=3):
    counts = ImageCounts(classes)
    for number, pair in enumerate(zip(truth, predicted, strict=True)):
        counts.put(number, confusion_matrix(*pair, classes))
    return counts


def tables(counts):
    return [table for _, table in counts.chunks()]


def test_intervals_are_those_of_an_independent_bootstrap():
    truth, predicted = images(30)
    found = bootstrap_intervals(tables(counted(truth, predicted)), 30, 4000, seed=1)["means"]
    pairs = zip(truth, predicted, strict=True)
    matrices = np.array([sklearn_confusion(*pair, labels=range(3)) for pair in pairs])

    def mean_iou(chosen):
        matrix = matrices[chosen].sum(0)
        both = np.diag(matrix)
        return np.mean(both / (matrix.sum(0) + matrix.sum(1) - both))

    def pixel_accuracy(chosen):
        matrix = matrices[chosen].sum(0)
        return np.trace(matrix) / matrix.sum()

    options = {"n_resamples": 4000, "method": "percentile", "vectorized": False, "rng": 2}
    for score in (mean_iou, pixel_accuracy):
        expected = stats.bootstrap((np.arange(30),), score, **options).confidence_interval
        assert found[score.__name__] == pytest.approx(expected, abs=0.006)


def test_every_resample_is_as_likely_as_it_must_be():
    # Of three images with the counts 1, 10 and 100 the 27 equally likely resamples have sums whose
    # distribution can be written down.
    values = np.array([1, 10, 100])[:, None]
    sums = resampled_sums([values[:2], values[2:]], 3, 27000, np.random.default_rng(0))[:, 0]
    expected = [sum(chosen) for chosen in product((1, 10, 100), repeat=3)]
    for total in set(expected):
        share = expected.count(total) / 27
        assert np.mean(sums == total) == pytest.approx(share, abs=4 * (share / 27000) ** 0.5)
    assert set(sums) == set(expected)


def test_the_same_seed_gives_the_same_interval_and_another_one_does_not():
    counts = tables(counted(*images(12)))
    first, again, other = (bootstrap_intervals(counts, 12, 200, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_images_that_are_all_alike_leave_no_doubt():
    truth, predicted = (np.repeat(one[:1], 5, axis=0) for one in images(1))
    interval = bootstrap_intervals(tables(counted(truth, predicted)), 5, 100, 0)["means"][
        "mean_dice"
    ]
    expected = f1_score(truth[0], predicted[0], average="macro")
    assert interval == pytest.approx([expected, expected])


def test_a_class_without_pixels_has_no_interval_and_two_classes_have_one_of_the_foreground():
    truth, predicted = (np.minimum(one, 1) for one in images(6))
    found = bootstrap_intervals(tables(counted(truth, predicted)), 6, 50, 0)
    assert found["iou"][2] is None
    found = bootstrap_intervals(tables(counted(truth, predicted, 2)), 6, 50, 0)
    assert found["means"]["foreground_iou"] == found["iou"][1]


def test_counts_are_kept_in_any_order_and_failed_images_leave_no_trace(monkeypatch):
    monkeypatch.setattr("kseg.inference.evaluation.counts._CHUNK_BYTES", 200)
    truth, predicted = images(7)
    counts = ImageCounts(3)
    for number in (6, 0, 5, 2):
        counts.put(number, confusion_matrix(truth[number], predicted[number], 3))
    chunks = list(counts.chunks())
    assert len(chunks) > 1
    assert np.concatenate([numbers for numbers, _ in chunks]).tolist() == [0, 2, 5, 6]
    table = all_counts(np.concatenate([part for _, part in chunks]))
    for row, number in enumerate((0, 2, 5, 6)):
        scores = table.tp[row] / (table.tp[row] + table.fp[row] + table.fn[row])
        expected = jaccard_score(truth[number], predicted[number], average=None, labels=range(3))
        np.testing.assert_allclose(scores, expected)
        assert (table.tp + table.fp + table.fn + table.tn)[row].tolist() == [40] * 3
    counts.close()


def test_a_sum_does_not_depend_on_the_order():
    values = np.random.default_rng(0).lognormal(0, 5, (200, 3))
    sums = []
    for order in (values, values[::-1]):
        total = OrderlessSum((3,))
        for row in order:
            total.add(row)
        sums.append(total.value())
    np.testing.assert_array_equal(*sums)
    np.testing.assert_allclose(sums[0], values.sum(0), rtol=1e-9)
