import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kseg.inference.postprocess import PostProcess, objects_of

exhaustive = settings(max_examples=40, deadline=None, derandomize=True)


def grid(text):
    """A label map from rows of digits."""
    return np.array([[int(digit) for digit in row] for row in text.split()], np.uint8)


def disks(*centres, size=(40, 60), radius=9, label=1):
    rows, columns = np.indices(size)
    labels = np.zeros(size, np.uint8)
    for row, column in centres:
        labels[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = label
    return labels


def test_nothing_is_done_unless_asked_for():
    labels = np.random.default_rng(0).integers(0, 3, (20, 20)).astype(np.uint8)
    assert not PostProcess()
    assert PostProcess()(labels) is labels


def test_holes_are_filled_up_to_a_size_and_only_in_one_class():
    before = grid("1111111 1001101 1111111 1111222 1101222 1111222 0101000")
    after = grid("1111111 1111111 1111111 1111222 1111222 1111222 0101000")
    np.testing.assert_array_equal(PostProcess(fill_holes=2)(before), after)
    smaller = after.copy()
    smaller[1, 1:3] = 0
    np.testing.assert_array_equal(PostProcess(fill_holes=1)(before), smaller)


@pytest.mark.parametrize(
    "text",
    ["11222 11222 11022 11222 11222", "1111111 1000001 1002001 1000001 1111111"],
)
def test_background_that_two_classes_touch_stays(text):
    labels = grid(text)
    np.testing.assert_array_equal(PostProcess(fill_holes=20)(labels), labels)


def test_small_objects_get_the_label_around_them():
    before = grid("0000000 0100000 0022220 0023220 0022220 0000001")
    after = grid("0000000 0000000 0022220 0022220 0022220 0000000")
    np.testing.assert_array_equal(PostProcess(min_size=2)(before), after)
    np.testing.assert_array_equal(PostProcess(min_size=1)(before), before)


def test_pixels_that_touch_at_a_corner_are_one_object():
    labels = grid("100 010 001")
    np.testing.assert_array_equal(PostProcess(min_size=3)(labels), labels)


def test_the_largest_object_of_each_class_stays():
    before = grid("1100222 1100002 0000000 1000020")
    after = grid("1100222 1100002 0000000 0000000")
    np.testing.assert_array_equal(PostProcess(largest=True)(before), after)


def test_opening_removes_hairs_and_keeps_what_is_thick():
    blob = disks((20, 25))
    hair = blob.copy()
    hair[20, 35:55] = 1
    hair[3, 3] = 1
    opened = PostProcess(opening=2)(hair)
    assert not opened[:, 36:].any()
    assert not opened[3, 3]
    assert np.mean(opened[:, :34] == blob[:, :34]) > 0.99


def test_touching_objects_are_cut_apart_and_single_ones_stay_whole():
    touching = disks((20, 16), (20, 32), (10, 50), radius=9)
    assert objects_of(touching, 0).max() == 2
    cut = PostProcess(split_touching=3)(touching)
    assert objects_of(cut, 0).max() == 3
    changed = cut != touching
    assert 0 < changed.sum() < 25
    assert not changed[:, 40:].any()
    # Their neck is 9 pixels wide, 10 less than they are.
    np.testing.assert_array_equal(PostProcess(split_touching=8)(touching), touching)


def test_a_ring_is_not_cut():
    ring = disks((20, 30), radius=19) - disks((20, 30), radius=12)
    np.testing.assert_array_equal(PostProcess(split_touching=2)(ring), ring)


def test_without_background_specks_go_and_the_rest_stays():
    before = grid("1112222 1012232 1112222")
    after = grid("1112222 1112222 1112222")
    np.testing.assert_array_equal(PostProcess(min_size=2)(before, None), after)
    for step in ({"fill_holes": 3}, {"split_touching": 3}):
        with pytest.raises(ValueError, match="first class is called background"):
            PostProcess(**step)(before, None)


@pytest.mark.parametrize("background", [0, None])
def test_an_image_of_one_pixel_is_no_problem(background):
    labels = np.ones((1, 1), np.uint8)
    for step in ({"min_size": 5}, {"largest": True}, {"opening": 3}):
        assert PostProcess(**step)(labels, background).shape == (1, 1)


@exhaustive
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=16), elements=st.integers(0, 3)),
    st.builds(
        PostProcess,
        fill_holes=st.integers(0, 9),
        opening=st.integers(0, 2),
        min_size=st.integers(0, 9),
        largest=st.booleans(),
        split_touching=st.integers(0, 4),
    ),
)
def test_no_label_is_invented_and_the_input_stays(labels, post):
    before = labels.copy()
    cleaned = post(labels)
    np.testing.assert_array_equal(labels, before)
    assert cleaned.shape == labels.shape
    assert cleaned.dtype == np.uint8
    assert set(np.unique(cleaned)) <= {0, *np.unique(labels)}
    if not (post.fill_holes or post.split_touching):
        assert set(np.unique(post(labels, None))) <= set(np.unique(labels))
