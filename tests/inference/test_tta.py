import numpy as np
import pytest

from kseg.inference.tta import VIEWS, View, averaged, check_views, views_of

RNG = np.random.default_rng(0)
BATCH = RNG.integers(0, 256, (2, 32, 64, 3)).astype("uint8")
NAMED = sorted(VIEWS)


def rows_as_scores(batch):
    """A network that is not symmetric: the probability of class 1 grows from left to right."""
    share = np.broadcast_to(np.linspace(0, 1, batch.shape[2], dtype="float32"), batch.shape[:3])
    return np.stack([1 - share, share], -1)


@pytest.mark.parametrize("name", ["flip", "flips", "turns", "d4"])
def test_flips_and_turns_are_undone_exactly(name):
    for view in views_of(name):
        np.testing.assert_array_equal(view.undo(view.apply(BATCH), (32, 64)), BATCH)


def test_the_eight_views_of_d4_are_all_different():
    seen = {view.apply(BATCH[:, :, :32]).tobytes() for view in views_of("d4")}
    assert len(seen) == 8
    flips = {view.apply(BATCH).tobytes() for view in views_of("flips")}
    assert flips == {BATCH[:, a, b].tobytes() for a, b in EACH_WAY}


EACH_WAY = [(slice(None, None, a), slice(None, None, b)) for a in (1, -1) for b in (1, -1)]


@pytest.mark.parametrize("name", NAMED)
def test_a_network_that_looks_at_single_pixels_says_the_same_of_all_views(name):
    def brightness(batch):
        share = batch.astype("float32") / 255
        return np.concatenate([1 - share, share], -1)

    smooth = np.broadcast_to(np.linspace(0, 255, 64).astype("float32"), (1, 32, 64))[..., None]
    found = averaged(brightness, views_of(name))(smooth)
    assert found.shape == (1, 32, 64, 2)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)
    tolerance = 0.03 if "scales" in name else 1e-6
    np.testing.assert_allclose(found[..., 1:], smooth / 255, atol=tolerance)


def test_the_probabilities_of_the_views_are_averaged():
    # What grows to the right and what grows to the left have the mean 1/2.
    found = averaged(rows_as_scores, views_of("flip"))(BATCH)
    np.testing.assert_allclose(found, 0.5, atol=1e-6)
    # Of four quarter turns two are along the rows: (x + (1 - x) + y + (1 - y)) / 4.
    turned = averaged(rows_as_scores, views_of("turns"))(BATCH)
    np.testing.assert_allclose(turned, 0.5, atol=1e-6)


def test_scaled_images_have_sizes_that_networks_take():
    for view in views_of("scales_flip"):
        assert all(length % 32 == 0 for length in view.apply(BATCH).shape[1:3])
    assert View(scale=0.5).apply(np.zeros((1, 256, 320, 1), "uint8")).shape == (1, 128, 160, 1)


def test_no_view_but_the_image_itself_costs_nothing():
    assert averaged(rows_as_scores, views_of("none")) is rows_as_scores


def test_unknown_sets_and_views_of_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"tta must be one of none, flip.*got 'rotate'"):
        views_of("rotate")
    check_views(views_of("d4"), (64, 64), "d4")
    check_views(views_of("flips"), (32, 64), "flips")
    for name in ("d4", "scales"):
        with pytest.raises(ValueError, match=rf"tta='{name}' needs .* than the 64x32"):
            check_views(views_of(name), (32, 64), name)
