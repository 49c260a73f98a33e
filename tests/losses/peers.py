"""The losses of MONAI and PyTorch, by the names of ours."""

import numpy as np
import pytest

from tests import loss_oracles
from tests.losses.cases import WEIGHTS


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
