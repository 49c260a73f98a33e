import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.dataset import Sample
from kseg.data.resize import place, resize_image, resize_sample, scores_to_size

sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def sample_of(size, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3)).astype("uint8")
    return Sample(image, rng.choice([0, 2, 7], size).astype("uint8"), "x")


@settings(max_examples=60, deadline=None)
@given(size=sizes, target=sizes, resize_op=st.sampled_from([1, 2]))
def test_resizing_gives_the_target_size_and_no_foreign_label(size, target, resize_op):
    resized = resize_sample(sample_of(size), target, resize_op, void=255)
    assert resized.image.shape == (*target, 3)
    assert resized.mask.shape == target
    assert set(np.unique(resized.mask)) <= {0, 2, 7, *([255] if resize_op == 2 else [])}


@settings(max_examples=60, deadline=None)
@given(size=sizes, target=sizes)
def test_a_letterbox_keeps_the_shape_and_is_void_around_it(size, target):
    placement = place(size, target, 2)
    scale = min(target[0] / size[0], target[1] / size[1])
    assert abs(placement.height - size[0] * scale) <= 1
    assert abs(placement.width - size[1] * scale) <= 1
    mask = resize_sample(sample_of(size), target, 2, void=255).mask
    assert (mask != 255).sum() == placement.height * placement.width


@settings(max_examples=60, deadline=None)
@given(size=sizes, target=sizes, resize_op=st.sampled_from([1, 2]))
def test_scores_return_to_the_size_of_the_image(size, target, resize_op):
    scores = np.zeros((*target, 3), "float32")
    assert scores_to_size(scores, size, resize_op).shape == (*size, 3)


@pytest.mark.parametrize("resize_op", [1, 2])
def test_the_way_there_and_back_hits_the_same_place(resize_op):
    mask = np.zeros((60, 100), "uint8")
    mask[20:40, 10:50] = 1
    sample = Sample(np.repeat(mask[..., None], 3, axis=2), mask, "x")
    small = resize_sample(sample, (64, 64), resize_op, void=255).mask
    scores = np.stack([small != 1, small == 1], axis=-1).astype("float32")
    back = scores_to_size(scores, (60, 100), resize_op).argmax(-1)
    assert np.mean(back == mask) > 0.97


def test_a_sample_that_fits_is_left_alone():
    sample = sample_of((32, 48))
    np.testing.assert_array_equal(resize_sample(sample, (32, 48), 1, 255).image, sample.image)


@pytest.mark.parametrize("rows", [4, 9])
@pytest.mark.parametrize("old", [60, 64, 75, 89, 90, 91, 100, 119, 120, 121, 180, 400])
def test_no_pixel_loses_much_of_its_share_by_shrinking(old, rows):
    sums = []
    for at in range(2, old - 2):
        line = np.zeros((4, old, 1), np.uint8)
        line[:, at] = 240
        sums.append(float(resize_image(line, (rows, 60), 1).sum()))
    assert min(sums) >= 0.7 * np.mean(sums)
