import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.augment import PRESETS, augment
from kseg.data.augment.operation import Displacement, Move
from kseg.data.augment.read import OPERATIONS
from kseg.data.augment.warp import Warp
from kseg.data.dataset import Sample
from tests.data.augment_cases import KINDS, always, coded, random_sample, steps

MOVES = [name for name, kind in OPERATIONS.items() if issubclass(kind, Move | Displacement)]
SIZE = (96, 128)
VOID = -1

few = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32)


def misplaced(warp, size, seed):
    """The share of pixels whose image and label came from more than half a pixel apart.

    The sampler rounds to 1/32 of a pixel. Pixels next to the edge are mixed with the border.
    """
    scale = warp.draw(np.random.default_rng(seed), size).scale
    moved = warp(coded(size), np.random.default_rng(seed))
    y, x = np.divmod(moved.mask, size[1])
    margin = 2 / min(scale, 1)
    inner = (moved.mask != VOID) & (np.minimum(x, y) > margin)
    inner &= (x < size[1] - 1 - margin) & (y < size[0] - 1 - margin)
    assert inner.sum() > 200
    away = np.abs(moved.image - np.stack([x, y], axis=-1)).max(axis=-1)
    return (away[inner] > 0.5 + 0.05 / min(scale, 1)).mean()


@pytest.mark.parametrize("name", MOVES)
def test_image_and_labels_of_each_operation_come_from_the_same_place(name):
    assert misplaced(Warp((always(name),), VOID), SIZE, 7) <= 0.005


@few
@given(st.sets(st.sampled_from(MOVES), min_size=2, max_size=5), seeds)
def test_image_and_labels_of_combined_operations_come_from_the_same_place(names, seed):
    assert misplaced(Warp(tuple(map(always, sorted(names))), VOID), SIZE, seed) <= 0.005


@pytest.mark.parametrize("preset", ["light", "medium", "strong", "medical"])
def test_image_and_labels_of_each_preset_come_from_the_same_place(preset):
    (warp,) = [step for step in PRESETS[preset].transforms(VOID) if isinstance(step, Warp)]
    for seed in range(8):
        assert misplaced(warp, (192, 256), seed) <= 0.005


@pytest.mark.parametrize("scale", [0.25, 0.4, 0.6, 0.8, 1.0, 1.7])
def test_a_zoomed_image_agrees_with_its_labels(scale):
    warp = Warp((always("zoom", low=scale, high=scale),), VOID)
    assert misplaced(warp, (240, 320), 0) <= 0.005


@few
@given(
    st.lists(st.sampled_from(MOVES), min_size=1, max_size=4),
    seeds,
    st.sampled_from(["uint8", "int64", "uint16", "int16"]),
)
def test_no_warp_invents_a_label(names, seed, dtype):
    sample = random_sample(labels=(0, 3, 7))
    sample = Sample(sample.image, sample.mask.astype(dtype), "x")
    moved = Warp(tuple(always(name) for name in names))(sample, np.random.default_rng(seed))
    assert set(np.unique(moved.mask)) <= {0, 3, 7, 255}
    assert moved.mask.dtype == dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MOVES)
def test_shape_and_type_stay(name, kind):
    sample = random_sample(kind)
    moved = Warp((always(name),))(sample, np.random.default_rng(1))
    assert (moved.image.shape, moved.image.dtype) == (sample.image.shape, sample.image.dtype)
    assert (moved.mask.shape, moved.mask.dtype) == (sample.mask.shape, sample.mask.dtype)


def test_channels_are_moved_alike():
    rows, columns = np.indices((64, 64))
    slope = (rows + 2 * columns).astype("uint8")[..., None]
    sample = Sample(slope, np.zeros((64, 64), "uint8"), "x")
    six = Sample(np.repeat(slope, 6, axis=2), sample.mask, "x")
    for name in MOVES:
        one = Warp((always(name),), border="reflect")(sample, np.random.default_rng(2)).image
        all_six = Warp((always(name),), border="reflect")(six, np.random.default_rng(2)).image
        # OpenCV rounds a little differently for another number of channels.
        assert np.abs(all_six.astype(int) - one).max() <= 1


NEUTRAL = {
    "rotate": {"degrees": 0},
    "zoom": {"low": 1, "high": 1},
    "crop": {"smallest": 1},
    "translate": {"share": 0},
    "shear": {"degrees": 0},
    "affine": {"share": 0},
    "perspective": {"share": 0},
    "elastic": {"sd": 0},
    "elastic_dense": {"alpha": 0},
}


@pytest.mark.parametrize("kind", ["rgb", "float"])
@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_parameters_return_the_input_exactly(name, kind):
    sample = random_sample(kind)
    same = Warp((always(name, **NEUTRAL[name]),))(sample, np.random.default_rng(0))
    np.testing.assert_array_equal(same.image, sample.image)
    np.testing.assert_array_equal(same.mask, sample.mask)


@pytest.mark.parametrize("kind", KINDS)
def test_mirrored_and_turned_samples_are_exact(kind):
    sample = random_sample(kind, (48, 48))
    expected = {
        ("hflip",): np.fliplr,
        ("vflip",): np.flipud,
        ("quarter_turn",): np.rot90,
        ("hflip", "vflip"): lambda a: np.rot90(a, 2),
        ("hflip", "quarter_turn"): lambda a: np.rot90(np.fliplr(a)),
        ("quarter_turn", "hflip"): lambda a: np.fliplr(np.rot90(a)),
        ("quarter_turn", "quarter_turn", "quarter_turn"): lambda a: np.rot90(a, 3),
    }
    for names, function in expected.items():
        moved = Warp(tuple(map(always, names)))(sample, np.random.default_rng(0))
        np.testing.assert_array_equal(moved.image, function(sample.image))
        np.testing.assert_array_equal(moved.mask, function(sample.mask))


def test_a_shifted_sample_leaves_void_behind():
    ids = np.arange(64, dtype="uint8").reshape(8, 8)
    warp = Warp((always("translate", share=0.25),))
    ys, xs = np.indices((8, 8))
    for seed in range(20):
        matrix = warp.draw(np.random.default_rng(seed), (8, 8)).matrix
        old_x, old_y = xs - round(matrix[0, 2]), ys - round(matrix[1, 2])
        inside = (old_x >= 0) & (old_x < 8) & (old_y >= 0) & (old_y < 8)
        expected = np.where(inside, old_y * 8 + old_x, 255)
        moved = warp(Sample(ids[..., None], ids, "x"), np.random.default_rng(seed))
        np.testing.assert_array_equal(moved.mask, expected)


def test_a_rotation_turns_about_the_middle():
    turn = always("rotate", degrees=90)
    matrices = [turn.matrix(np.random.default_rng(seed), (30, 50)) for seed in range(50)]
    for matrix in matrices:
        np.testing.assert_allclose(matrix @ [25, 15, 1], [25, 15, 1], atol=1e-9)
        np.testing.assert_allclose(matrix[:2, :2] @ matrix[:2, :2].T, np.eye(2), atol=1e-9)
    angles = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in matrices])
    assert -90 <= angles.min() < -60
    assert 60 < angles.max() <= 90


def test_a_zoom_covers_the_frame_or_lies_in_it():
    for low, high in ((0.3, 0.9), (1.1, 3.0)):
        zoom = always("zoom", low=low, high=high)
        for seed in range(30):
            matrix = zoom.matrix(np.random.default_rng(seed), (30, 50))
            (x0, y0, _), (x1, y1, _) = matrix @ [0, 0, 1], matrix @ [50, 30, 1]
            assert low <= (x1 - x0) / 50 <= high
            assert (y1 - y0) / 30 == pytest.approx((x1 - x0) / 50)
            inside = x0 >= -1e-9 and x1 <= 50 + 1e-9 and y0 >= -1e-9 and y1 <= 30 + 1e-9
            outside = x0 <= 1e-9 and x1 >= 50 - 1e-9 and y0 <= 1e-9 and y1 >= 30 - 1e-9
            assert inside if high < 1 else outside


def test_the_aspect_of_a_zoom_shrinks_one_side_only():
    zoom = always("zoom", low=0.5, high=0.5, aspect=0.3)
    matrices = [zoom.matrix(np.random.default_rng(seed), (30, 50)) for seed in range(200)]
    scales = np.array([(m[0, 0], m[1, 1]) for m in matrices])
    np.testing.assert_allclose(scales.max(axis=1), 0.5)
    # The least quotient of numbers in 0.7..1.3 is 0.538.
    ratios = scales.min(axis=1) / 0.5
    assert 0.538 <= ratios.min() < 0.65
    assert ratios.max() > 0.95


def test_shrinking_takes_means_and_not_single_pixels():
    stripes = np.zeros((128, 128, 1), "uint8")
    stripes[:, ::2] = 255
    sample = Sample(stripes, np.zeros((128, 128), "uint8"), "stripes")
    shrink = always("zoom", low=0.25, high=0.25)
    moved = Warp((shrink,))(sample, np.random.default_rng(0))
    seen = moved.image[moved.mask == 0]
    assert np.abs(seen.astype(int) - 127).max() <= 16


def test_the_border_is_grey_or_mirrored_and_its_label_void():
    sample = Sample(np.full((40, 40, 3), 200, "uint8"), np.ones((40, 40), "uint8"), "x")
    shrink = (always("zoom", low=0.5, high=0.5),)
    for border, value in (("grey", 128), ("reflect", 200)):
        moved = Warp(shrink, border=border)(sample, np.random.default_rng(0))
        outside = moved.mask == 255
        assert outside.mean() == pytest.approx(0.75, abs=0.05)
        assert (np.abs(moved.image[outside].astype(int) - value) <= 36).all()
        assert (moved.image[outside] == value).mean() > 0.9


def test_a_warp_works_without_labels():
    sample = random_sample()
    bare = Sample(sample.image, None, "x")
    warp = Warp((always("rotate"), always("hflip")))
    moved = warp(bare, np.random.default_rng(3))
    assert moved.mask is None
    expected = warp(sample, np.random.default_rng(3)).image
    np.testing.assert_array_equal(moved.image, expected)


def test_a_label_map_that_cannot_hold_void_is_refused():
    sample = random_sample()
    for dtype in ("int8", "bool"):
        bad = Sample(sample.image, (sample.mask == 1).astype(dtype), "tiny")
        with pytest.raises(ValueError, match=f"tiny: a label map of {dtype} cannot hold"):
            Warp((always("rotate"),))(bad, np.random.default_rng(0))


def test_a_strong_perspective_zoomed_out_shows_the_sample_once():
    operations = [always("perspective", share=0.2)] * 3 + [always("zoom", low=0.1, high=0.1)]
    for extra in ([], [always("elastic")]):
        for seed in range(5):
            sample = Sample(np.full((64, 64, 1), 200, "uint8"), np.ones((64, 64), "uint8"), "x")
            (warp,) = steps(*operations, *extra)
            moved = augment(sample, [warp], np.random.default_rng(seed))
            assert (moved.mask == 1).mean() < 0.08
