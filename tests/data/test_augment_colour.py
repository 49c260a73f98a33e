import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.augment import augment
from kseg.data.augment.operation import Displacement, Mix, Move
from kseg.data.augment.read import OPERATIONS
from kseg.data.dataset import Sample
from tests.data.augment_cases import KINDS, always, random_sample, steps

IN_PLACE = [k for k, v in OPERATIONS.items() if not issubclass(v, Move | Displacement | Mix)]


def changed(sample, *operations, seed=0):
    return augment(sample, steps(*operations), np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", IN_PLACE)
def test_shape_type_and_range_stay(name, kind):
    sample = random_sample(kind)
    before = sample.image.copy()
    for seed in range(4):
        result = changed(sample, always(name), seed=seed)
        assert (result.image.shape, result.image.dtype) == (before.shape, before.dtype)
        assert result.image.min() >= 0
        assert result.image.max() <= 255
    np.testing.assert_array_equal(sample.image, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", IN_PLACE)
def test_images_change_where_the_operation_is_for_them(name, kind):
    sample = random_sample(kind)
    same = np.array_equal(changed(sample, always(name)).image, sample.image)
    assert same == (name == "hsv" and KINDS[kind][0] != 3)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(IN_PLACE), min_size=1, max_size=4), st.integers(0, 2**32))
def test_labels_stay_or_become_void(names, seed):
    sample = random_sample()
    result = changed(sample, *map(always, names), seed=seed)
    moved = result.mask != sample.mask
    assert (result.mask[moved] == 255).all()
    assert "cutout" in names or not moved.any()


NEUTRAL = {
    "hsv": {"hue": 0, "saturation": 0, "value": 0},
    "brightness": {"amount": 0},
    "contrast": {"amount": 0},
    "gamma": {"most": 1},
    "blur": {"sigma": 0},
    "noise": {"sd": 0},
    "cutout": {"size": 0},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_parameters_return_the_input_exactly(name, kind):
    sample = random_sample(kind)
    result = changed(sample, always(name, **NEUTRAL[name]))
    np.testing.assert_array_equal(result.image, sample.image)
    np.testing.assert_array_equal(result.mask, sample.mask)


@pytest.mark.parametrize("kind", ["rgb", "float"])
def test_hsv_is_what_the_standard_library_computes(kind):
    sample = random_sample(kind, (12, 12))
    factors = 1 + _after_the_coin(3).uniform(-1, 1, 3) * (0.1, 0.7, 0.3)
    expected = []
    for pixel in sample.image.reshape(-1, 3) / 255:
        h, s, v = np.array(colorsys.rgb_to_hsv(*pixel)) * factors
        expected.append(colorsys.hsv_to_rgb(h % 1, min(s, 1), min(v, 1)))
    away = np.abs(
        changed(sample, always("hsv"), seed=3).image.reshape(-1, 3) - 255 * np.array(expected)
    )
    # In 8 bits hue and saturation have 256 steps.
    assert away.max() < (0.001 if kind == "float" else 12)
    assert away.mean() < 1


def _after_the_coin(seed):
    """A generator as it is when the operation has decided to happen."""
    rng = np.random.default_rng(seed)
    rng.random()
    return rng


def test_curves_are_what_their_formulas_say():
    # Values 40, 60, 80 and 220: their mean is 100.
    values = np.array([40, 60, 80, 220], "float32").reshape(2, 2, 1)
    sample = Sample(values, np.zeros((2, 2), "uint8"), "x")
    added = 255 * _after_the_coin(0).uniform(-0.2, 0.2)
    bright = changed(sample, always("brightness", amount=0.2))
    np.testing.assert_allclose(bright.image, np.clip(values + added, 0, 255), rtol=1e-5)
    factor = 1 + _after_the_coin(0).uniform(-0.3, 0.3)
    contrasted = changed(sample, always("contrast", amount=0.3))
    expected = np.clip(100 + factor * (values - 100), 0, 255)
    np.testing.assert_allclose(contrasted.image, expected, rtol=1e-5)
    power = 1.5 ** _after_the_coin(0).uniform(-1, 1)
    curved = changed(sample, always("gamma", most=1.5))
    np.testing.assert_allclose(curved.image, 255 * (values / 255) ** power, rtol=1e-5)


def test_curves_in_a_row_are_rounded_once():
    sample = random_sample("rgb")
    tones = [always("brightness"), always("contrast"), always("gamma")]
    as_float = Sample(sample.image.astype("float32"), sample.mask, "x")
    for seed in range(5):
        exact = changed(as_float, *tones, seed=seed).image
        rounded = changed(sample, *tones, seed=seed).image
        assert np.abs(rounded - exact).max() <= 0.5 + 1e-3


def test_noise_has_the_drawn_deviation_and_no_mean():
    grey = Sample(np.full((200, 200, 3), 128, "uint8"), np.zeros((200, 200), "uint8"), "x")
    for seed in range(5):
        drawn = _after_the_coin(seed).uniform(0, 20)
        noise = changed(grey, always("noise", sd=20), seed=seed).image.astype(float) - 128
        assert noise.std() == pytest.approx(drawn, rel=0.03, abs=0.3)
        assert noise.mean() == pytest.approx(0, abs=0.2)


def test_noise_of_a_large_image_is_as_random():
    grey = Sample(np.full((1000, 3000, 1), 128, "uint8"), None, "x")
    noise = changed(grey, always("noise", sd=20)).image.astype(float) - 128
    first, last = noise[:500].ravel(), noise[500:].ravel()
    assert abs(np.corrcoef(first, last)[0, 1]) < 0.01


def test_blur_is_scipys_gaussian():
    from scipy.ndimage import gaussian_filter

    sample = random_sample("float")
    sigma = _after_the_coin(1).uniform(0, 3)
    expected = gaussian_filter(sample.image, (sigma, sigma, 0), mode="mirror", truncate=4.5)
    away = np.abs(changed(sample, always("blur", sigma=3), seed=1).image - expected)
    assert away.max() < 1


def test_jpeg_is_pillows_at_the_drawn_quality():
    from io import BytesIO

    from PIL import Image

    y, x = np.indices((64, 64))
    image = np.stack([x * 4, y * 4, 255 - x * 2], axis=-1).astype("uint8")
    sample = Sample(image, None, "x")
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=10)
    ours = changed(sample, always("jpeg", low=10, high=10)).image.astype(int)
    assert np.abs(ours - np.asarray(Image.open(file))).mean() < 1
    assert 1 < np.abs(ours - image).mean() < 12


def test_cutout_covers_as_many_rectangles_as_asked_and_voids_their_labels():
    sample = random_sample("rgb", (100, 100), labels=(1, 2))
    shares = []
    for seed in range(60):
        result = changed(sample, always("cutout", size=0.5), seed=seed)
        hidden = result.mask == 255
        assert (result.image[hidden] == 128).all()
        np.testing.assert_array_equal(result.image[~hidden], sample.image[~hidden])
        rows, columns = hidden.any(axis=1).sum(), hidden.any(axis=0).sum()
        assert hidden.sum() == rows * columns
        shares.append(rows / 100)
    # Even in 0.125..0.5.
    assert max(shares) <= 0.5
    assert np.mean(shares) == pytest.approx(0.3125, abs=0.06)
    many = [(changed(sample, always("cutout", count=k)).mask == 255).mean() for k in (1, 8)]
    assert many[0] < many[1]
