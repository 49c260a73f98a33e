"""Cross-validation deals every sample to one test part."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.folds import with_fold


def dataset(train, val, test):
    parts = [
        tuple(SampleFiles(Path(f"{part}{index}.png")) for index in range(count))
        for part, count in (("train", train), ("val", val), ("test", test))
    ]
    return Dataset("set", *parts, class_names=("a", "b"))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(3, 9), st.integers(9, 40), st.integers(0, 9), st.integers(0, 5))
def test_every_sample_is_scored_once_and_never_learned_from(folds, train, val, seed):
    whole = dataset(train, val, 2)
    scored = []
    for fold in range(folds):
        one = with_fold(whole, fold, folds, seed)
        parts = [set(one.train), set(one.val), set(one.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == train + val
        assert not set(whole.test) & set.union(*parts)
        assert abs(len(one.test) - (train + val) / folds) < 1
        scored += one.test
    assert len(scored) == len(set(scored)) == train + val
    assert with_fold(whole, 0, folds, seed) == with_fold(whole, 0, folds, seed)


def test_test_samples_that_stand_in_for_validation_stay_out():
    whole = dataset(6, 0, 3)
    one = with_fold(Dataset("s", whole.train, whole.test, whole.test, ("a", "b")), 0, 3)
    assert not set(whole.test) & {*one.train, *one.val, *one.test}


@pytest.mark.parametrize(
    ("fold", "folds", "message"),
    [
        (0, 2, "at least 3 folds .* got 2"),
        (3, 3, r"must be in 0\.\.2, got 3"),
        (0, 9, "8 samples are fewer than 9 folds"),
    ],
)
def test_impossible_folds_are_refused(fold, folds, message):
    with pytest.raises(ValueError, match=message):
        with_fold(dataset(6, 2, 1), fold, folds)
