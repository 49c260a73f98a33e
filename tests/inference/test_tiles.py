"""Tiles cover every pixel, and what they agree on comes back bit by bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.inference.tiles import tiled_probabilities
from kseg.inference.tiling import Tiling, blend_shares, tile_starts

SIZES = ((1, 1), (1, 97), (64, 64), (37, 153), (131, 50))
TILES = (16, 33, 200)
OVERLAPS = (0, 0.25, 0.5, 0.75)


def random_image(height, width, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels), "uint8")


def identity(batch):
    """Two probabilities that encode the first channel, with all bits of a float32 in use."""
    first = batch[..., :1].astype(np.float32) / np.float32(255)
    return np.concatenate([first, 1 - first], axis=-1)


def place_dependent(batch):
    """Probabilities that depend on the place in the tile, as near the edge of a real network."""
    size = batch.shape[1]
    ramp = np.linspace(0.2, 1, size * size, dtype=np.float32).reshape(1, size, size, 1)
    first = batch[..., :1] / np.float32(255) * ramp
    return np.concatenate([first, 1 - first], axis=-1)


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("size", SIZES)
def test_an_identity_network_gives_back_its_input_exactly(size, tile, overlap):
    image = random_image(*size)
    found = tiled_probabilities(image, identity, tile=tile, overlap=overlap, num_classes=2)
    np.testing.assert_array_equal(found, identity(image[None])[0])


def test_overlapping_tiles_are_averaged_by_a_gaussian_around_their_centres():
    image, tile, overlap = random_image(45, 61), 16, 0.5
    found = tiled_probabilities(image, place_dependent, tile=tile, overlap=overlap, num_classes=2)
    places = np.arange(tile) - 7.5
    weight = np.exp(-0.5 * np.add.outer(places**2, places**2) / 2**2)[..., None]  # sigma 16 / 8
    total, weights = np.zeros((45, 61, 2)), np.zeros((45, 61, 1))
    for top in tile_starts(45, tile, overlap):
        for left in tile_starts(61, tile, overlap):
            here = np.s_[top : top + tile, left : left + tile]
            total[here] += weight * place_dependent(image[here][None])[0]
            weights[here] += weight
    np.testing.assert_allclose(found, total / weights, rtol=0, atol=1e-6)


def test_a_tile_larger_than_the_image_sees_its_mirror_image():
    image = np.arange(1, 4, dtype="uint8").reshape(1, 3, 1)
    seen = []

    def run(batch):
        seen.append(batch[0, :2, :, 0].tolist())
        return np.zeros((*batch.shape[:3], 2), np.float32)

    assert tiled_probabilities(image, run, tile=8, num_classes=2).shape == (1, 3, 2)
    assert seen == [[[1, 2, 3, 2, 1, 2, 3, 2]] * 2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 3000), st.integers(1, 600), st.floats(0, 0.9))
def test_tiles_cover_every_pixel_and_overlap_as_asked(length, tile, overlap):
    starts = tile_starts(length, tile, overlap)
    covered = np.zeros(max(length, tile), int)
    for start in starts:
        covered[start : start + tile] += 1
    assert covered.min() >= 1
    assert starts[0] == 0
    assert starts[-1] == max(0, length - tile)
    steps = np.diff(starts)
    assert np.all((steps >= 1) & (steps <= max(1, tile - round(tile * overlap))))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(1, 300), st.integers(1, 64), st.floats(0, 0.9))
def test_the_first_tile_over_a_pixel_has_the_share_one_and_later_ones_less(length, tile, overlap):
    starts = tile_starts(length, tile, overlap)
    seen = np.zeros(max(length, tile), bool)
    for start, shares in zip(starts, blend_shares(starts, tile), strict=True):
        first = ~seen[start : start + tile]
        assert np.all(shares[first] == 1)
        assert np.all((shares[~first] > 0) & (shares[~first] < 1))
        seen[start : start + tile] = True


@pytest.mark.parametrize(
    ("width", "batch_size", "sizes"), [(90, 4, [3, 3]), (90, 9, [5]), (10, 4, [1])]
)
def test_all_batches_have_one_size(width, batch_size, sizes):
    """Five tiles in batches of at most four are run as three and three: one shape to compile."""
    seen = []

    def run(batch):
        seen.append(len(batch))
        return identity(batch)

    image = random_image(10, width)
    options = {"tile": 18, "overlap": 0, "num_classes": 2, "batch_size": batch_size}
    found = tiled_probabilities(image, run, **options)
    assert seen == sizes
    np.testing.assert_array_equal(found, identity(image[None])[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tile": 0}, "tile is 0; it must be at least 1"),
        ({"overlap": 0.95}, "overlap is 0.95; it must be in 0..0.9"),
        ({"overlap": -0.1}, "overlap is -0.1"),
        ({"num_classes": 0}, "num_classes is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_an_option_out_of_range_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Tiling(**{"tile": 32, "overlap": 0.25, "num_classes": 2} | options)


def test_a_network_with_other_classes_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 32, 32, 2\) .* must be the 3 classes"):
        tiled_probabilities(random_image(32, 32), identity, tile=32, num_classes=3)
