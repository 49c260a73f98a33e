"""Losses against MONAI or PyTorch where they have them."""

from types import SimpleNamespace

import numpy as np
import pytest

from kseg.losses import list_losses
from tests import oracles
from tests.losses.cases import SHAPE, VOID, WEIGHTS, value
from tests.losses.peers import EXACT, PEERS, TVERSKY, overlap, peer


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
