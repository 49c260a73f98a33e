"""Every loss against an oracle of its own."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kseg.losses import list_losses
from tests import loss_oracles, oracles
from tests.losses.cases import SHAPE, VOID, WEIGHTS, build, takes

COMMON = [
    {},
    VOID,
    {"ignore_class": -1, "class_weights": WEIGHTS},
    {"ignore_class": 0, "per_image": True},
    {**VOID, "per_image": True, "class_weights": WEIGHTS},
    {"class_ids": [1]},
    {"class_ids": [0, 1], "per_image": True, "class_weights": WEIGHTS},
    {"smooth": 2.0, "class_weights": WEIGHTS},
    {**VOID, "smooth": 0.5, "per_image": True},
]
CONSTANTS = [
    ("b_focal", {"gamma": 0.5, "alpha": 0.9}),
    ("b_focal", {"gamma": 0.0, "alpha": None}),
    ("c_focal", {"gamma": 0.5}),
    ("c_focal", {"alpha": WEIGHTS, "class_weights": WEIGHTS}),
    ("ce", {"label_smoothing": 0.1, "class_weights": WEIGHTS}),
    ("ce_jaccard", {"label_smoothing": 0.1, "smooth": 1.0}),
    ("cl_dice", {"alpha": 0.2, "iterations": 0}),
    ("cl_dice", {"iterations": 6}),
    ("f_tversky", {"alpha": 0.6, "beta": 0.2, "gamma": 1.5}),
    ("hausdorff", {"alpha": 0.5}),
    ("ohem_ce", {"threshold": 0.2, "min_kept": 0.0}),
    ("ohem_ce", {"threshold": 0.05, "min_kept": 0.75, "per_image": True, **VOID}),
    ("ohem_ce", {"threshold": 0.05, "min_kept": 0.5, "class_weights": WEIGHTS}),
    ("ohem_ce", {"label_smoothing": 0.1}),
    ("tversky", {"alpha": 0.6, "beta": 0.2}),
    ("tversky", {"alpha": 0.0, "beta": 2.0}),
    ("unified_focal", {"delta": 0.8, "gamma": 0.2, "weight": 0.3}),
    ("unified_focal", {"gamma": 0.2, "asymmetric": False, "class_weights": WEIGHTS}),
]


def batch(seed, channels, *, void=None, from_logits=True):
    """Return labels and scores; the first image lacks class 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, max(channels, 2), SHAPE)
    labels[0][labels[0] == 1] = 0
    if void is not None:
        labels[rng.random(SHAPE) < 0.3] = void
    scores = rng.normal(scale=2, size=(*SHAPE, channels)).astype("float32")
    if not from_logits:
        scores = oracles.softmax(scores)[..., int(channels == 1) :].astype("float32")
    return labels, scores


def assert_equals_oracle(name, labels, scores, **options):
    classes = max(scores.shape[-1], 2)
    for option in {"class_weights", "alpha"} & set(options):
        if isinstance(options[option], list):
            options[option] = options[option][:classes]
    weights = np.random.default_rng(0).random(labels.shape).astype("float32")
    maps = {"pixel_weights": weights} if name.startswith("edge_weighted_ce") else {}
    expected = loss_oracles.expected(name, labels, scores, **options, **maps)
    found = build(name, classes, **options)(labels, scores, sample_weight=maps.get("pixel_weights"))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_every_loss_has_an_oracle():
    known = {**loss_oracles.PIXELS, **loss_oracles.REGIONS, **loss_oracles.SUMS}
    assert set(list_losses()) == set(known) - set(loss_oracles.SUMS["unified_focal"])


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("name", list_losses())
def test_common_options_equal_the_oracle(name, channels, from_logits):
    for seed, options in enumerate(COMMON):
        if all(takes(name, option) for option in options):
            void = options.get("ignore_class")
            labels, scores = batch(seed, channels, void=void or None, from_logits=from_logits)
            assert_equals_oracle(name, labels, scores, from_logits=from_logits, **options)


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize(("name", "constants"), CONSTANTS)
def test_constants_equal_the_oracle(name, constants, channels):
    labels, scores = batch(1, channels, void=constants.get("ignore_class"))
    assert_equals_oracle(name, labels, scores, **constants)


@pytest.mark.parametrize("name", list_losses())
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**16), classes=st.sets(st.sampled_from([0, 1, 2, 255]), min_size=1))
def test_any_classes_of_the_truth_equal_the_oracle(name, seed, classes):
    _, scores = batch(seed, 3)
    labels = np.random.default_rng(seed).choice(sorted(classes), SHAPE)
    assert_equals_oracle(name, labels, scores, **VOID)


@functools.cache
def large():
    """Return labels in blobs and float16 logits of 1024x1024 pixels and 2 classes."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1, 1024, 1024, 2))
    labels = ndimage.gaussian_filter(noise, (0, 8, 8, 0)).argmax(-1)
    logits = np.where(labels[..., None] == [0, 1], 2, -2) + rng.normal(scale=2, size=noise.shape)
    return labels, logits.astype("float16")


# Distances over a million pixels take two minutes on TensorFlow and PyTorch.
SLOW = {name: pytest.param(name, marks=pytest.mark.full) for name in ("boundary", "hausdorff")}


@pytest.mark.parametrize("name", [SLOW.get(name, name) for name in list_losses()])
def test_a_million_pixels_of_float16_equal_the_oracle(name):
    options = {"class_weights": [1.0, 3.0]} if name == "weighted_ce" else {}
    assert_equals_oracle(name, *large(), **options)
