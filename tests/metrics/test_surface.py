import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.metrics.boundary import boundary_iou
from kseg.metrics.surface import (
    hausdorff_distance,
    surface_dice,
    surface_distances,
)

properties = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**16)


def blobs(seed, shape=(24, 31)):
    """Two different masks, each of a few boxes, some cut by the image border."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((2, *shape), bool)
    for mask in masks:
        for _ in range(3):
            start = [rng.integers(0, size - 2) for size in shape]
            mask[tuple(slice(low, low + rng.integers(2, 12)) for low in start)] = True
    return masks


def square(left, top=2, side=4, shape=(10, 12)):
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_two_squares_by_hand():
    # Squares of 4 x 4, the second 2 to the right: 12 boundary pixels each. Two columns of 4
    # leave the first one. Its left column (4 pixels) is 2 from the left column of the second;
    # the 2nd column's 2 boundary pixels are 1 from it (at top and bottom); the rest lies on it,
    # but the right column's 2 middle pixels, which are inside: 1 from the next boundary pixel.
    truth, prediction = square(2), square(4)
    sides = [2] * 4 + [1] * 2 + [0] * 4 + [1] * 2
    found = surface_distances(truth, prediction)
    assert sorted(found.of_truth) == sorted(sides)
    assert sorted(found.of_prediction) == sorted(sides)
    assert found.hausdorff() == 2
    assert found.average() == pytest.approx((4 * 2 + 4 * 1) / 12)
    assert found.dice(1) == pytest.approx(8 / 12)
    assert found.dice(0.5) == pytest.approx(4 / 12)
    # Diagonal 15.6, band max(1, round(0.31)) = 1: rings of 12 share 2 + 2 pixels of the rows.
    assert boundary_iou(truth, prediction) == pytest.approx(4 / 20)


def test_a_percentile_is_taken_in_each_direction():
    # One pixel against itself and another 9 away: 0 one way, 0 and 9 the other way.
    truth, prediction = np.zeros((2, 1, 12), bool)
    truth[0, 1] = prediction[0, 1] = prediction[0, 10] = True
    # 95 % between 0 and 9 is 8.55; of the pooled 0, 0, 9 it would be 8.1.
    assert hausdorff_distance(truth, prediction, percentile=95) == pytest.approx(8.55)
    assert hausdorff_distance(truth, prediction) == 9


def test_a_mask_cut_by_the_image_border_has_its_boundary_there():
    full, hollow = np.ones((5, 5), bool), np.ones((5, 5), bool)
    hollow[2, 2] = False
    # Boundary of the full mask: 16 pixels of the frame; the hole adds its 4 neighbours, 1 away.
    distances = surface_distances(full, hollow)
    assert distances.of_truth.tolist() == [0] * 16
    assert sorted(distances.of_prediction) == [0] * 16 + [1] * 4


@pytest.mark.parametrize("spacing", [1.0, 0.5, (0.7, 2.0)])
@pytest.mark.parametrize("seed", range(3))
def test_equals_monai(seed, spacing):
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    truth, prediction = blobs(seed)
    both = [torch.from_numpy(mask[None, None]).float() for mask in (prediction, truth)]
    options = {"include_background": True, "spacing": spacing}
    found = surface_distances(truth, prediction, spacing=spacing)
    hausdorff = monai.compute_hausdorff_distance
    expected = {
        "hd": hausdorff(*both, **options),
        "hd95": hausdorff(*both, percentile=95, **options),
        "assd": monai.compute_average_surface_distance(*both, symmetric=True, **options),
        "nsd": monai.compute_surface_dice(*both, class_thresholds=[1.55], **options),
    }
    values = (found.hausdorff(), found.hausdorff(95), found.average(), found.dice(1.55))
    assert values == pytest.approx([float(value) for value in expected.values()], rel=1e-5)


def test_volumes_equal_monai():
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    truth, prediction = blobs(4, (9, 14, 11))
    both = [torch.from_numpy(mask[None, None]).float() for mask in (prediction, truth)]
    spacing = (2.0, 0.5, 1.0)
    found = hausdorff_distance(truth, prediction, percentile=95, spacing=spacing)
    expected = monai.compute_hausdorff_distance(
        *both, include_background=True, percentile=95, spacing=spacing
    )
    assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_distance_equals_scikit_image_and_torchmetrics(seed):
    skimage = pytest.importorskip("skimage.metrics")
    segmentation = pytest.importorskip("torchmetrics.functional.segmentation")
    torch = pytest.importorskip("torch")
    # Square, as torchmetrics 1.9 mixes up height and width in its distance transform.
    truth, prediction = blobs(seed + 10, (26, 26))
    edges = [mask & ~eroded_by_hand(mask) for mask in (truth, prediction)]
    found = hausdorff_distance(truth, prediction)
    assert found == pytest.approx(skimage.hausdorff_distance(*edges))
    both = [torch.from_numpy(mask[None, None]) for mask in (prediction, truth)]
    expected = segmentation.hausdorff_distance(*both, num_classes=1, include_background=True)
    assert found == pytest.approx(float(expected))


def eroded_by_hand(mask):
    """Pixels whose four neighbours are in the mask too."""
    framed = np.pad(mask, 1)
    steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
    return mask & np.all([np.roll(framed, step, (0, 1))[1:-1, 1:-1] for step in steps], axis=0)


@pytest.mark.parametrize(("ratio", "depth"), [(0.02, 2), (0.05, 6)])
@pytest.mark.parametrize("seed", range(3))
def test_boundary_iou_equals_repeated_erosion(seed, ratio, depth):
    ndimage = pytest.importorskip("scipy.ndimage")
    # Rough disks that the border cuts; the diagonal of 72 x 93 pixels is 117.6, so the bands
    # are round(2.35) and round(5.88) pixels wide.
    rows, columns = np.indices((72, 93))
    noise = np.random.default_rng(seed).random((2, 18, 31)).repeat(4, 1).repeat(3, 2)
    radius = np.hypot(rows - 30, columns - 70 + np.array([0, 4])[:, None, None])
    masks = radius + 9 * noise < 42
    square = np.ones((3, 3))
    one, other = (m & ~ndimage.binary_erosion(m, square, iterations=depth) for m in masks)
    expected = (one & other).sum() / (one | other).sum()
    assert boundary_iou(*masks, dilation_ratio=ratio) == pytest.approx(expected)


def test_empty_masks_agree_and_are_infinitely_far_from_others():
    empty, full = np.zeros((6, 7), bool), square(1, shape=(6, 7))
    for truth, prediction, distance, share in (
        (empty, empty, 0, 1),
        (empty, full, math.inf, 0),
        (full, empty, math.inf, 0),
        (full, full, 0, 1),
    ):
        found = surface_distances(truth, prediction)
        assert {found.hausdorff(), found.hausdorff(95), found.average()} == {distance}
        assert {found.dice(1.0), boundary_iou(truth, prediction)} == {share}


def test_the_tolerance_holds_for_distances_that_round_above_it():
    truth, prediction = np.zeros((2, 1, 5), bool)
    truth[0, 0] = prediction[0, 3] = True
    assert surface_dice(truth, prediction, tolerance=0.3, spacing=0.1) == 1  # 3 * 0.1 > 0.3
    assert surface_dice(truth, prediction, tolerance=0.29, spacing=0.1) == 0


@properties
@given(seed=seeds)
def test_truth_and_prediction_may_change_places(seed):
    truth, prediction = blobs(seed)
    there, back = surface_distances(truth, prediction), surface_distances(prediction, truth)
    assert there.hausdorff(95) == back.hausdorff(95)
    assert there.average() == pytest.approx(back.average())
    assert there.dice(2) == back.dice(2)
    assert boundary_iou(truth, prediction) == boundary_iou(prediction, truth)


@properties
@given(seed=seeds, scale=st.floats(0.01, 100), row=st.floats(0.2, 5))
def test_scaling_the_pixels_scales_the_distances(seed, scale, row):
    masks = blobs(seed)
    small, large = (surface_distances(*masks, spacing=(row * k, k)) for k in (1.0, scale))
    assert large.hausdorff(95) == pytest.approx(scale * small.hausdorff(95))
    assert large.average() == pytest.approx(scale * small.average())
    assert large.dice(2.5 * scale) == small.dice(2.5)


@properties
@given(seed=seeds, turns=st.integers(1, 3))
def test_turning_the_image_changes_nothing(seed, turns):
    masks = blobs(seed)
    turned = [np.rot90(mask, turns) for mask in masks]
    before, after = surface_distances(*masks), surface_distances(*turned)
    assert before.hausdorff(90) == pytest.approx(after.hausdorff(90))
    assert boundary_iou(*masks) == boundary_iou(*turned)


A, B = blobs(0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: hausdorff_distance(A, B[1:]), r"truth has shape \(24, 31\), prediction \(23, 31"),
        (lambda: hausdorff_distance(A, B * 2), "prediction holds 2, expected booleans, or 0 and 1"),
        (lambda: hausdorff_distance(A * np.nan, B), "truth holds nan"),
        (lambda: hausdorff_distance(True, False), "single values, expected masks"),
        (lambda: hausdorff_distance(A, B, percentile=0), "percentile must be above 0 .* got 0"),
        (lambda: hausdorff_distance(A, B, percentile=101), "at most 100, got 101"),
        (
            lambda: hausdorff_distance(A, B, spacing=0),
            "spacing must be .* above 0 .* got 0",
        ),
        (lambda: hausdorff_distance(A, B, spacing=(1, 1, 1)), r"2 of them, .* got \(1, 1, 1\)"),
        (lambda: surface_dice(A, B, tolerance=-1), "tolerance must be a number from 0 on, got -1"),
        (lambda: surface_dice(A, B, tolerance=math.nan), "tolerance must be .* got nan"),
        (lambda: boundary_iou(A, B, dilation_ratio=0), "dilation_ratio must be .* above 0, got 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
