"""Windows side by side: every pixel of an image is shown, and counts once."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data import open_dataset
from kseg.data.batches import Batches
from kseg.data.cache import RamCache
from kseg.data.dataset import Sample, SampleFiles
from kseg.data.windows import side_by_side

VOID = 255
FILES = SampleFiles(Path("image.png"), Path("mask.png"), page=2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_each_pixel_counts_once(data):
    size = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    window = tuple(data.draw(st.integers(1, length)) for length in size)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), "uint8")
    weights = rng.random(size, "float32") + 1
    sample = Sample(image, rng.integers(0, 5, size, "uint8"), "one", weights)
    counted, seen = np.zeros(size, int), np.zeros(size, "uint8")
    for one in side_by_side([FILES], size, window):
        part = one.window(sample, VOID)
        place = tuple(
            slice(start, start + length) for start, length in zip(one.corner, window, strict=True)
        )
        np.testing.assert_array_equal(part.image, image[place])
        counts = part.mask != VOID
        np.testing.assert_array_equal(part.mask[counts], sample.mask[place][counts])
        np.testing.assert_array_equal(part.weights[counts], weights[place][counts])
        assert (part.weights[~counts] == 0).all()
        counted[place] += counts
        seen[place] = 1
    assert (counted == 1).all()
    assert seen.all()
    assert (sample.mask != VOID).all()


def test_windows_are_as_few_as_can_be_and_keep_what_files_they_are_of():
    windows = side_by_side([FILES, FILES], (584, 565), (192, 192))
    assert len(windows) == 2 * 4 * 3
    assert {(one.image, one.mask, one.page) for one in windows} == {(FILES.image, FILES.mask, 2)}
    assert windows[11].corner == (392, 373)
    assert windows[11].seen == (184, 11)


@pytest.mark.parametrize("cached", [False, True])
def test_batches_of_windows_hold_the_pixels_of_whole_images(parts_root, cached):
    dataset = open_dataset("parts", parts_root)
    size, window = (48, 64), (32, 32)
    cache = RamCache(10**8) if cached else None
    whole = Batches(dataset, dataset.val[:2], 2, size).batch(0, 0)[1]
    parts = side_by_side(dataset.val[:2], size, window)
    batches = Batches(dataset, parts, 3, size, cache=cache)
    labels = np.concatenate([batches.batch(0, index)[1] for index in range(len(batches))])
    assert labels.shape == (8, *window)
    counts = np.bincount(labels.ravel(), minlength=256)
    assert counts[:2].tolist() == np.bincount(whole.ravel(), minlength=2)[:2].tolist()
    assert counts[VOID] == 2 * 2 * 16 * 32
    if cached:  # Once, not once for every window.
        assert cache.used < 2.5 * 48 * 64 * 4
