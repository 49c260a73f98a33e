"""Windows: where their pixels come from, and that nothing else than the window decides it."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.augment import PRESETS, augment
from kseg.data.augment.operation import Move
from kseg.data.augment.placing import Placing
from kseg.data.augment.recipe import Recipe
from kseg.data.augment.resample import resample_image, resample_labels
from kseg.data.augment.warp import Warp
from kseg.data.augment.window import cut_to_needed
from kseg.data.dataset import Sample
from tests.data.augment_cases import always, coded, drawer, random_sample

SIZE, WINDOW = (60, 90), (24, 32)
BENT = ("elastic", "elastic_dense")
MOVES = ("rotate", "zoom", "crop", "translate", "shear", "affine", "perspective", "hflip")


def test_without_moves_a_window_is_a_part_of_the_sample_and_lies_anywhere():
    sample, corners = coded(SIZE), set()
    (step,) = Recipe().transforms(window=WINDOW)
    for seed in range(2000):
        part = step(sample, np.random.default_rng(seed))
        column, row = part.image[0, 0].astype(int)
        corners.add((row, column))
        rows, columns = slice(row, row + WINDOW[0]), slice(column, column + WINDOW[1])
        np.testing.assert_array_equal(part.image, sample.image[rows, columns])
        np.testing.assert_array_equal(part.mask, sample.mask[rows, columns])
    for axis in (0, 1):
        places = {corner[axis] for corner in corners}
        assert places == set(range(SIZE[axis] - WINDOW[axis] + 1))


def test_a_window_of_the_whole_size_is_the_sample():
    sample = random_sample(size=SIZE)
    (step,) = Recipe().transforms(window=SIZE)
    assert step(sample, np.random.default_rng(0)) is sample


def spotted(spots, size=SIZE):
    """A sample of class 0 with single pixels of others: a class at each row and column."""
    mask = np.zeros(size, "uint8")
    for place, label in spots.items():
        mask[place] = label
    return Sample(coded(size).image, mask, "spotted")


def corner_of(part):
    column, row = part.image[0, 0].astype(int)
    return row, column


def test_a_share_of_the_windows_has_a_class_in_its_middle_half():
    sample = spotted({(30, 40): 3, (1, 1): 255})
    (step,) = Recipe().transforms(255, WINDOW, foreground=0.6)
    parts = [step(sample, np.random.default_rng(seed)) for seed in range(3000)]
    middle = np.array([(part.mask[6:18, 8:24] == 3).any() for part in parts])
    # By chance the class is there in 12x16 of the (60 - 24 + 1) x (90 - 32 + 1) windows.
    expected = 0.6 + 0.4 * 12 * 16 / (37 * 59)
    assert middle.mean() == pytest.approx(expected, abs=0.04)
    around = {corner_of(part) for part, shown in zip(parts, middle, strict=True) if shown}
    assert around == {(30 - row, 40 - col) for row in range(6, 18) for col in range(8, 24)}


def test_every_class_of_a_sample_is_as_likely():
    spots = {(30, 40): 1} | {(row, col): 2 for row in range(12, 20) for col in range(60, 80)}
    (step,) = Recipe().transforms(255, (8, 8), foreground=1)
    parts = [step(spotted(spots), np.random.default_rng(seed)) for seed in range(1000)]
    shares = [np.mean([(part.mask == label).any() for part in parts]) for label in (1, 2)]
    assert shares == pytest.approx([0.5, 0.5], abs=0.06)


@pytest.mark.parametrize("place", [(0, 0), (0, 89), (59, 0), (59, 89), (59, 45)])
def test_windows_around_a_pixel_at_an_edge_lie_inside(place):
    (step,) = Recipe().transforms(255, WINDOW, foreground=1)
    for seed in range(50):
        part = step(spotted({place: 1}), np.random.default_rng(seed))
        assert part.mask.shape == WINDOW
        assert part.mask.sum() == 1


@pytest.mark.parametrize("spots", [{}, {(5, 5): 255}])
def test_without_foreground_windows_lie_anywhere(spots):
    (step,) = Recipe().transforms(255, WINDOW, foreground=1)
    parts = [step(spotted(spots), np.random.default_rng(seed)) for seed in range(300)]
    rows = {corner_of(part)[0] for part in parts}
    assert len(rows) > 30


def test_samples_without_labels_have_windows_too():
    (step,) = Recipe().transforms(255, WINDOW, foreground=1)
    part = step(Sample(coded(SIZE).image, None, "plain"), np.random.default_rng(0))
    assert part.image.shape[:2] == WINDOW


def test_square_windows_of_oblong_images_are_turned():
    sample = coded(SIZE)
    warp = Warp((always("quarter_turn"),), window=(20, 20))
    part = warp(sample, np.random.default_rng(3))
    turned_back = np.rot90(part.image, -1)
    column, row = turned_back[0, 0].astype(int)
    np.testing.assert_array_equal(turned_back, sample.image[row : row + 20, column : column + 20])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sets(st.sampled_from(MOVES), min_size=1),
    st.sets(st.sampled_from(BENT), max_size=1),
    st.sampled_from(["grey", "reflect"]),
    st.integers(0, 2**32),
)
def test_the_part_that_is_looked_at_is_all_that_is_seen(moves, bends, border, seed):
    """The same result as from the whole sample, where OpenCV gets all of it."""
    sample = random_sample(size=SIZE, seed=1)
    warp = Warp(tuple(map(always, sorted(moves | bends))), border=border, window=WINDOW)
    result = warp(sample, np.random.default_rng(seed))
    placing = warp._draw_place(sample, np.random.default_rng(seed))
    if placing.scale < 0.75:  # Means over 2x2 pixels begin elsewhere in a part.
        return
    image = resample_image(sample.image, placing, reflect=border == "reflect")
    # OpenCV knows 32nds of pixels, which a part may round to the other side.
    near = np.abs(result.image.astype(int) - image).max(axis=2) <= 9
    assert near.mean() > 0.995
    assert (result.mask == resample_labels(sample, placing, 255)).mean() > 0.98


def test_what_moves_into_a_window_comes_from_around_it():
    sample = coded((200, 200))
    warp = Warp(
        (always("rotate", degrees=45), always("zoom", low=0.6, high=0.6)), 7, window=(40, 40)
    )
    insides = 0
    for seed in range(40):
        placing = warp._draw_place(sample, np.random.default_rng(seed))
        part = warp(sample, np.random.default_rng(seed))
        corners = np.array([[0, 40, 40, 0], [0, 0, 40, 40], [1, 1, 1, 1]])
        x, y, _ = placing.inverse @ corners
        if min(x.min(), y.min()) > 0 and max(x.max(), y.max()) < 200:
            insides += 1
            # 7 is also the number of a pixel in the first row, 0.02 % of all.
            assert (part.mask == 7).mean() < 0.01
    assert insides > 10


def test_the_part_is_small_where_the_image_is_large():
    sample = random_sample(size=(900, 1200))
    warp = Warp((always("rotate", degrees=10),), window=(64, 64))
    placing = warp._draw_place(sample, np.random.default_rng(0))
    part, _ = cut_to_needed(sample, placing)
    assert max(part.image.shape[:2]) < 100


def test_beyond_the_horizon_the_whole_image_is_kept():
    sample = random_sample(size=SIZE)
    steep = np.array([[1, 0, 0], [0, 1, 0], [0, -0.05, 1.0]])
    part, _ = cut_to_needed(sample, Placing(np.linalg.inv(steep), None, WINDOW, (3, 4)))
    assert part is sample


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("kind", ["grey", "rgb", "six", "float"])
def test_every_preset_gives_windows(name, kind):
    steps = PRESETS[name].transforms(255, WINDOW)
    sample, draw = random_sample(kind, SIZE), drawer(kind, SIZE)
    for seed in range(8):
        part = augment(sample, steps, np.random.default_rng(seed), draw)
        assert part.image.shape == (*WINDOW, sample.image.shape[2])
        assert part.image.dtype == sample.image.dtype
        assert part.mask.shape == WINDOW
        assert set(np.unique(part.mask)) <= {0, 1, 2, 5, 255}


def test_the_last_warp_cuts():
    """A mosaic of whole images before it, mixtures of windows after it."""
    names = ("rotate", "mosaic", "hflip", "cutmix")
    steps = Recipe(tuple(map(always, names))).transforms(255, WINDOW)
    assert [getattr(step, "window", None) for step in steps] == [None, None, WINDOW, None]
    part = augment(random_sample(size=SIZE), steps, np.random.default_rng(0), drawer(size=SIZE))
    assert part.mask.shape == WINDOW


def test_moves_are_measured_by_the_window():
    class Noted(Move):
        name = "noted"

        def matrix(self, rng, size):
            sizes.append(size)
            return np.eye(3)

    sizes: list[tuple[int, int]] = []
    Warp((Noted(p=1.0),), window=WINDOW)(random_sample(size=SIZE), np.random.default_rng(0))
    assert sizes == [WINDOW]


def test_an_image_smaller_than_the_window_is_refused():
    sample = random_sample(size=(20, 90))
    message = "rgb0: a window of 24x32 pixels does not fit into an image of 20x90"
    with pytest.raises(ValueError, match=re.escape(message)):
        Warp((), window=WINDOW)(sample, np.random.default_rng(0))
