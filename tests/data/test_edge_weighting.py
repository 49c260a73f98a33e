import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from kseg.data.edge_weighting import edge_weights

PROPERTY = settings(max_examples=15, deadline=None, derandomize=True)
LABELS = st.integers(0, 2**32 - 1).map(lambda seed: blobs(np.random.default_rng(seed)))


def blobs(rng):
    """Return a map of some rectangles of classes 1 and 2, and some void pixels."""
    labels = np.zeros(rng.integers(8, 30, 2), np.uint8)
    for value in rng.integers(1, 3, 8):
        top, left = (rng.integers(0, size) for size in labels.shape)
        labels[top : top + rng.integers(1, 5), left : left + rng.integers(1, 5)] = value
    labels[rng.random(labels.shape) < 0.03] = 255
    return labels


def by_whole_maps(labels, w0, sigma, class_weights):
    """The formula with a distance map of the whole image per object, void pixels 255."""
    objects = []
    for value in (1, 2):
        parts, count = ndimage.label(labels == value)
        objects += [parts == number for number in range(1, count + 1)]
    weights = np.array([*class_weights, *[0.0] * 253])[labels]
    if len(objects) >= 2:
        distances = np.sort([ndimage.distance_transform_edt(~one) for one in objects], axis=0)
        border = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
        weights += np.where(labels == 0, border, 0)
    return weights


@PROPERTY
@given(LABELS, st.sampled_from([0.7, 2.0, 5.0]), st.sampled_from([0.0, 3.0, 10.0]))
def test_the_map_is_that_of_whole_distance_maps(labels, sigma, w0):
    classes = [0.5, 1.0, 2.0]
    found = edge_weights(labels, w0=w0, sigma=sigma, class_weights=classes, ignore_class=255)
    np.testing.assert_allclose(found, by_whole_maps(labels, w0, sigma, classes), atol=1e-4)
    assert found.dtype == np.float32


@PROPERTY
@given(LABELS, st.booleans(), st.booleans(), st.booleans())
def test_moving_the_labels_moves_the_map(labels, upside_down, left_right, transpose):
    def move(plane):
        plane = plane[:: -1 if upside_down else 1, :: -1 if left_right else 1]
        return plane.T if transpose else plane

    options = {"sigma": 1.5, "ignore_class": 255}
    plain = edge_weights(labels, **options)
    np.testing.assert_allclose(edge_weights(move(labels), **options), move(plain), atol=1e-5)
    shifted = edge_weights(np.pad(labels, ((3, 0), (5, 2))), **options)
    np.testing.assert_allclose(shifted[3:, 5:-2], plain, atol=1e-5)


@PROPERTY
@given(LABELS, arrays(np.float64, 3, elements=st.floats(0, 9)))
def test_no_weight_is_below_that_of_its_class(labels, classes):
    found = edge_weights(labels, class_weights=classes, ignore_class=255)
    void = labels == 255
    assert (found[~void] >= np.float32(classes)[labels[~void]]).all()
    assert (found[void] == 0).all()
    assert (found[labels > 0] <= 9).all()


def test_two_objects_by_hand():
    # The gap is three pixels: d1 + d2 = 1 + 3 = 2 + 2 = 3 + 1 = 4, and
    # 1 + 10 exp(-4^2 / (2 * 5^2)) = 1 + 10 exp(-0.32) = 1 + 7.261490
    found = edge_weights(np.array([[1, 0, 0, 0, 1]]))
    np.testing.assert_allclose(found, [[1, 8.26149, 8.26149, 8.26149, 1]], rtol=1e-6)


def test_a_gap_between_objects_of_different_classes_counts_as_well():
    same, different = np.array([[1, 0, 1]]), np.array([[1, 0, 2]])
    np.testing.assert_array_equal(edge_weights(same), edge_weights(different))


def test_fewer_than_two_objects_leave_the_class_weights():
    labels = np.zeros((6, 7), np.uint8)
    np.testing.assert_array_equal(edge_weights(labels), np.ones((6, 7)))
    labels[2:4, 2:5] = 1
    np.testing.assert_array_equal(edge_weights(labels, class_weights=[2, 3]), 2 + (labels == 1))


def test_a_diagonal_line_of_background_separates_two_objects():
    labels = np.ones((5, 5), np.uint8)
    np.fill_diagonal(labels, 0)
    # On the line d1 = d2 = 1: 1 + 10 exp(-4 / 50); beside it, in the objects, 1.
    expected = np.where(np.eye(5), 1 + 10 * np.exp(-0.08), 1)
    np.testing.assert_allclose(edge_weights(labels), expected, rtol=1e-6)


@PROPERTY
@given(LABELS)
def test_membranes_may_have_any_label(labels):
    # The same objects, with the numbers of background and class 1 exchanged.
    renamed = np.choose(np.minimum(labels, 3), (1, 0, 2, 255)).astype(np.uint8)
    found = edge_weights(renamed, background=1, sigma=2.0, ignore_class=255)
    np.testing.assert_array_equal(found, edge_weights(labels, sigma=2.0, ignore_class=255))


def test_instances_say_what_one_object_is():
    labels = np.array([[1, 0, 1, 0, 1]], np.uint8)
    # The left and the middle part are one object, so between them d2 is that to the right part.
    found = edge_weights(labels, instances=np.array([[7, 0, 7, 0, 40_000]]))
    ones = 1 + 10 * np.exp(-(np.array([1 + 3, 1 + 1]) ** 2) / 50)
    np.testing.assert_allclose(found, [[1, ones[0], 1, ones[1], 1]], rtol=1e-6)
    own = edge_weights(labels, instances=np.array([[1, 0, 2, 0, 3]]))
    np.testing.assert_array_equal(own, edge_weights(labels))


def test_instances_may_cover_every_pixel():
    labels = np.ones((2, 4), np.uint8)
    instances = np.repeat([[1, 1, 2, 2]], 2, axis=0)
    np.testing.assert_array_equal(edge_weights(labels, instances=instances), labels)


@pytest.mark.parametrize(
    ("labels", "options", "sentence"),
    [
        (np.zeros((2, 3, 1), int), {}, r"a label map \(H, W\) of whole numbers"),
        (np.zeros((2, 3)), {}, "got float64 of shape"),
        (np.eye(3, dtype=int), {"sigma": 0}, "w0 >= 0 and sigma > 0, got 10.0 and 0"),
        (np.eye(3, dtype=int), {"w0": -1}, "w0 >= 0 and sigma > 0, got -1 and 5.0"),
        (np.eye(3, dtype=int), {"class_weights": [1, -1]}, "at least 0, got"),
        (np.eye(3, dtype=int), {"class_weights": [1]}, "label 1 has no class weight"),
        (-np.eye(3, dtype=int), {"class_weights": [1, 1]}, "label -1 has no class weight"),
        (np.eye(3, dtype=int), {"instances": np.eye(2, dtype=int)}, "of the labels' shape"),
        (np.eye(3, dtype=int), {"instances": np.ones((3, 3), int)}, "is background"),
        (
            np.zeros((3, 3), int),
            {"instances": np.ones((3, 3), int), "background": 0},
            r"background \(0\)",
        ),
    ],
)
def test_bad_arguments_get_one_sentence(labels, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        edge_weights(labels, **options)
