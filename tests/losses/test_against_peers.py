"""Every loss against MONAI or PyTorch where they have it, and against an oracle of its own."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kseg.losses import list_losses
from tests import loss_oracles, oracles
from tests.losses.cases import build, takes, value

SHAPE = (3, 7, 5)
WEIGHTS = [1.0, 2.5, 0.5]
VOID = {"ignore_class": 255}
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


def peer(kind, scores, truth, **options):
    """Return MONAI's loss of channel-last arrays as a float64 array."""
    torch, losses = pytest.importorskip("torch"), pytest.importorskip("monai.losses")
    planes = [torch.tensor(np.moveaxis(np.float64(a), -1, 1)) for a in (scores, truth)]
    return getattr(losses, kind)(**options)(*planes).double().numpy()


EXACT = {"smooth_nr": 0.0, "smooth_dr": 0.0}
TVERSKY = {"alpha": 0.3, "beta": 0.7}


def overlap(kind, case, smooth=0.0, **options):
    smooths = {key: smooth for key in EXACT}
    return peer(kind, case.chances, case.truth, batch=True, **smooths, **options)


def cross_entropy(case, weight=None):
    torch = pytest.importorskip("torch")
    logits = torch.tensor(np.moveaxis(case.all_logits, -1, 1))
    weight = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(case.labels), weight)


def boundary(case):
    # Ours is 0 at the optimum, and has the boundary half a pixel further out than MONAI.
    shift = 0.5 * (case.chances - case.truth).mean()
    found = [peer("BoundaryLoss", one, case.truth) for one in (case.chances, case.truth)]
    return found[0] - found[1] - shift


def cl_dice(case):
    # MONAI pools the classes of an image, so it gets them one by one.
    exact = {**EXACT, "smooth": 1e-12}
    values = [
        peer("SoftDiceclDiceLoss", *(a[i : i + 1, ..., c : c + 1] for a in pair), **exact)
        for pair in [(case.chances, case.truth)]
        for i in range(len(case.labels))
        for c in range(case.truth.shape[-1])
    ]
    return np.mean(values)


def unified_focal(case):
    options = {"gamma": 0.5, "delta": 0.6}
    pixels, regions = (
        peer("AsymmetricUnifiedFocalLoss", case.all_chances, case.all_truth, weight=w, **options)
        for w in (1.0, 0.0)
    )
    # MONAI takes the mean of two channels, of which one is 0 at each pixel; the authors the sum.
    return 0.5 * 2 * pixels + 0.5 * regions


PEERS = {
    "b_focal": lambda case: peer("FocalLoss", case.logits, case.truth, gamma=2.0, alpha=0.25),
    "bce": lambda case: peer("FocalLoss", case.logits, case.truth, gamma=0.0),
    "boundary": boundary,
    # MONAI takes the mean over the channels too, of which only the true class is not 0.
    "c_focal": lambda case: (
        peer("FocalLoss", case.all_logits, case.all_truth, gamma=2.0, use_softmax=True)
        * case.all_truth.shape[-1]
    ),
    "ce": cross_entropy,
    "cl_dice": cl_dice,
    "dice": lambda case: overlap("DiceLoss", case),
    "edge_weighted_ce": cross_entropy,  # with an even map
    "f_tversky": lambda case: np.mean(
        overlap("TverskyLoss", case, **TVERSKY, reduction="none") ** 0.75
    ),
    "g_dice": lambda case: peer(
        "GeneralizedDiceLoss", case.all_chances, case.all_truth, batch=True, **EXACT
    ),
    "hausdorff": lambda case: peer(
        "HausdorffDTLoss", case.chances, case.truth, include_background=True, batch=True
    ),
    "jaccard": lambda case: overlap("DiceLoss", case, jaccard=True),
    "mcc": lambda case: overlap("MCCLoss", case),
    "tversky": lambda case: overlap("TverskyLoss", case, **TVERSKY),
    "unified_focal": unified_focal,
    "weighted_ce": lambda case: cross_entropy(case, WEIGHTS[: case.all_truth.shape[-1]]),
}
PEERS |= {
    name: lambda case, parts=parts: sum(float(PEERS[part](case)) for part in parts)
    for name, parts in loss_oracles.SUMS.items()
    if name != "unified_focal"
}


def peer_case(channels):
    """Return a batch with every class in every image, and sure of one class at each pixel."""
    rng = np.random.default_rng(7)
    classes = max(channels, 2)
    labels = np.stack([rng.permutation(np.arange(35) % classes).reshape(7, 5) for _ in range(3)])
    guess = np.where(rng.random(labels.shape) < 0.7, labels, rng.integers(0, classes, SHAPE))
    logits = 4.0 * np.eye(classes)[guess] + rng.normal(size=(*SHAPE, classes))
    if channels == 1:
        logits = logits[..., 1:] - logits[..., :1]
    logits = logits.astype("float32")
    all_chances, all_truth = oracles.softmax(logits), np.eye(classes)[labels]
    assert all_chances.max(-1).min() > 0.5  # where MONAI's and our predicted masks agree
    own = slice(classes - channels, None)
    return SimpleNamespace(
        labels=labels,
        logits=logits,
        all_logits=np.log(all_chances),
        chances=all_chances[..., own],
        all_chances=all_chances,
        truth=all_truth[..., own],
        all_truth=all_truth,
    )


def test_every_loss_but_two_has_a_peer():
    assert set(PEERS) == {*list_losses()} - {"lovasz", "ohem_ce"}


# MONAI's unified focal loss has two classes.
@pytest.mark.parametrize(
    ("name", "channels"),
    [(n, c) for n in sorted(PEERS) for c in (3, 2, 1) if (n, c) != ("unified_focal", 3)],
)
def test_equals_the_peer(name, channels):
    case = peer_case(channels)
    options = {"class_weights": WEIGHTS[: max(channels, 2)]} if name == "weighted_ce" else {}
    # MONAI keeps images apart in these, and counts both classes of a sigmoid channel in one.
    options |= {"per_image": True} if name in ("cl_dice", "unified_focal") else {}
    options |= {"class_ids": [0, 1]} if name == "unified_focal" else {}
    found = value(name, case.labels, case.logits, **options)
    assert found == pytest.approx(float(PEERS[name](case)), rel=1e-5)


PEERS_WITH_OPTIONS = [
    ("dice", {"smooth": 2.0}, lambda case: overlap("DiceLoss", case, smooth=2.0)),
    ("tversky", {"smooth": 2.0}, lambda case: overlap("TverskyLoss", case, 2.0, **TVERSKY)),
    # MONAI doubles both sides of this ratio before it adds to them.
    ("jaccard", {"smooth": 2.0}, lambda case: overlap("DiceLoss", case, 4.0, jaccard=True)),
    # MONAI divides by the number of classes, not by the sum of their weights.
    (
        "dice",
        {"class_weights": WEIGHTS},
        lambda case: overlap("DiceLoss", case, weight=WEIGHTS) * 3 / sum(WEIGHTS),
    ),
    (
        "c_focal",
        {"alpha": WEIGHTS, "gamma": 0.5},
        lambda case: (
            3
            * peer("FocalLoss", case.logits, case.truth, gamma=0.5, alpha=WEIGHTS, use_softmax=True)
        ),
    ),
]


@pytest.mark.parametrize(("name", "options", "peer_of"), PEERS_WITH_OPTIONS)
def test_options_equal_the_peer(name, options, peer_of):
    case = peer_case(3)
    found = value(name, case.labels, case.logits, **options)
    assert found == pytest.approx(float(peer_of(case)), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("dice", "DiceLoss", {**EXACT, "softmax": True, "batch": True}),
        ("jaccard", "DiceLoss", {**EXACT, "softmax": True, "batch": True, "jaccard": True}),
        ("tversky", "TverskyLoss", {**EXACT, **TVERSKY, "softmax": True, "batch": True}),
        ("c_focal", "FocalLoss", {"use_softmax": True}),
        ("b_focal", "FocalLoss", {"alpha": 0.25}),
    ],
)
def test_void_pixels_equal_the_peer(name, kind, options):
    case = peer_case(3)
    labels = np.where(np.random.default_rng(8).random(SHAPE) < 0.3, 255, case.labels)
    options = options | {"ignore_index": 255, "to_onehot_y": True}
    expected = peer(kind, case.logits, labels[..., None], **options)
    # With void pixels MONAI's focal loss is a sum over channels, not a mean.
    expected = expected / 3 if name == "b_focal" else expected
    found = value(name, labels, case.logits, **VOID)
    assert found == pytest.approx(float(expected), rel=1e-5)
