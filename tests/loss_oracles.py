"""Every loss computed another way: float64, one class at a time, sets of pixels, SciPy, sorting."""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.special import expit

from tests.oracles import softmax


def expected(name, labels, scores, *, per_image=False, weight=0.5, **options):
    """Return the value of a loss.

    Args:
        name: A name of `list_losses()`.
        labels: `(N, H, W)`.
        scores: `(N, H, W, C)`, `C = 1` for a sigmoid channel.
        per_image: Whether to take the mean over the images that have a value.
        weight: Weight of the first half of `unified_focal`.
        **options: Other options of the loss, and `pixel_weights` `(N, H, W)`.
    """
    if name in SUMS:
        shares = [weight, 1 - weight] if name == "unified_focal" else [1, 1]
        values = [
            expected(part, labels, scores, per_image=per_image, **_options_of(part, options))
            for part in SUMS[name]
        ]
        return np.dot(shares, values)
    images = [slice(i, i + 1) for i in range(len(labels))] if per_image else [slice(None)]
    value = _over_pixels if name in PIXELS else _over_classes
    maps = options.pop("pixel_weights", np.ones(labels.shape))
    found = [value(name, labels[i], np.float64(scores[i]), maps[i], **options) for i in images]
    counted = [one for one in found if one is not None]
    return np.mean(counted) if counted else 0.0


def _options_of(part, options):
    """Return the options without those that the other half of a sum takes."""
    others = {"class_ids", "smooth"} if part in PIXELS else {"label_smoothing"}
    return {key: value for key, value in options.items() if key not in others}


def _distribution(scores, from_logits):
    if from_logits:
        return softmax(scores)
    return np.concatenate([1 - scores, scores], -1) if scores.shape[-1] == 1 else scores


def _over_pixels(
    name,
    labels,
    scores,
    weights,
    from_logits=True,
    ignore_class=None,
    class_weights=None,
    **constants,
):
    """Return the weighted mean over the valid pixels, or None where there is none."""
    valid = labels != ignore_class
    labels, weights = labels[valid], weights[valid]
    if class_weights is not None:
        weights = weights * np.array(class_weights)[labels]
    if name in ("bce", "b_focal"):
        chances = expit(scores) if from_logits else scores
    else:
        chances = _distribution(scores, from_logits)
    # The docstrings state this floor of probabilities; of logits there is none.
    values = PIXELS[name](labels, chances[valid], 0.0 if from_logits else 1e-7, **constants)
    weights = weights * ~np.isnan(values)
    return np.average(np.nan_to_num(values), weights=weights) if weights.any() else None


def _ce(labels, chances, floor, label_smoothing=0.0):
    """Return the cross-entropy against one-hot rows mixed with the uniform distribution."""
    classes = chances.shape[-1]
    target = (1 - label_smoothing) * np.eye(classes)[labels] + label_smoothing / classes
    return -(target * np.log(np.maximum(chances, floor))).sum(-1)


def _true(labels, chances, floor):
    return np.maximum(chances[np.arange(len(labels)), labels], floor)


def _ohem_ce(labels, chances, floor, threshold=0.7, min_kept=0.0625, label_smoothing=0.0):
    """Return the cross-entropy of the hard pixels, or of the hardest few, and NaN elsewhere."""
    true = _true(labels, chances, floor)
    hard = true < threshold
    least = math.ceil(min_kept * len(labels))
    if hard.sum() < least:
        hard = true <= np.sort(true)[least - 1]
    return np.where(hard, _ce(labels, chances, floor, label_smoothing), np.nan)


def _c_focal(labels, chances, floor, gamma=2.0, alpha=None):
    true = _true(labels, chances, floor)
    return (1 if alpha is None else np.array(alpha)[labels]) * (1 - true) ** gamma * -np.log(true)


def _answers(labels, chances, floor):
    """Return the yes or no of each channel and the probability of the right answer."""
    classes = [1] if chances.shape[-1] == 1 else range(chances.shape[-1])
    yes = labels[:, None] == list(classes)
    return yes, np.maximum(np.where(yes, chances, 1 - chances), floor)


def _bce(*pixels):
    return -np.log(_answers(*pixels)[1]).mean(-1)


def _b_focal(*pixels, gamma=2.0, alpha=0.25):
    yes, right = _answers(*pixels)
    factor = 1 if alpha is None else np.where(yes, alpha, 1 - alpha)
    return (factor * (1 - right) ** gamma * -np.log(right)).mean(-1)


def _unified_pixels(labels, chances, floor, delta=0.6, gamma=0.5, asymmetric=True):
    true = _true(labels, chances, floor)
    background = (1 - delta) * (1 - true) ** gamma * -np.log(true)
    foreground = delta * (1 - true) ** (0 if asymmetric else gamma) * -np.log(true)
    return np.where(labels == 0, background, foreground)


# Losses for which the background of a sigmoid channel counts too.
BOTH_OF_SIGMOID = ("g_dice", "unified_regions")


class Region(NamedTuple):
    """One class: bool `truth`, `valid` and `predicted`, float64 `chance`, all `(N, H, W)`."""

    number: int
    truth: np.ndarray
    chance: np.ndarray
    predicted: np.ndarray
    valid: np.ndarray

    def pairs(self):
        """Return truth and probability of the valid pixels."""
        return self.truth[self.valid], self.chance[self.valid]


def _over_classes(
    name,
    labels,
    scores,
    _,
    from_logits=True,
    ignore_class=None,
    class_weights=None,
    class_ids=None,
    **constants,
):
    """Return the weighted mean over the classes with truth, or None where there is none."""
    valid = labels != ignore_class
    chances = _distribution(scores, from_logits)
    everything = range(chances.shape[-1])
    ids = class_ids or (everything if scores.shape[-1] > 1 or name in BOTH_OF_SIGMOID else [1])
    weights = class_weights or [1.0] * len(everything)
    ids = [c for c in ids if weights[c] and (labels[valid] == c).any()]
    best = chances.argmax(-1)
    regions = [Region(c, labels == c, chances[..., c], best == c, valid) for c in ids]
    if name == "g_dice":
        return _g_dice(regions, [weights[c] for c in ids], **constants) if ids else None
    values = [REGIONS[name](region, **constants) for region in regions]
    found = [(v, weights[c]) for v, c in zip(values, ids, strict=True) if v is not None]
    return np.dot(*zip(*found, strict=True)) / sum(w for _, w in found) if found else None


def _tversky(region, alpha=0.3, beta=0.7, smooth=0.0):
    """Return `1 - |PG| / (|PG| + alpha |P - G| + beta |G - P|)`."""
    y, p = region.pairs()
    both = p[y].sum() + smooth
    return 1 - both / (both + alpha * p[~y].sum() + beta * (1 - p[y]).sum())


def _f_tversky(region, gamma=0.75, **options):
    return _tversky(region, **options) ** gamma


def _unified_regions(region, delta=0.6, gamma=0.5, asymmetric=True, smooth=0.0):
    lost = _tversky(region, 1 - delta, delta, smooth)
    return lost if asymmetric and region.number == 0 else lost ** (1 - gamma)


def _dice(region, smooth=0.0):
    y, p = region.pairs()
    return 1 - (2 * y @ p + smooth) / (y.sum() + p.sum() + smooth)


def _jaccard(region, smooth=0.0):
    y, p = region.pairs()
    return 1 - (y @ p + smooth) / (y.sum() + p.sum() - y @ p + smooth)


def _g_dice(regions, shares, smooth=0.0):
    """Return one ratio of sums over classes; `smooth` is in pixels of the smallest class."""
    y, p = (np.array(rows, float) for rows in zip(*[r.pairs() for r in regions], strict=True))
    volumes = y.sum(-1)
    weights = np.array(shares) / volumes**2
    smooth = smooth / volumes.min() ** 2
    both, sums = weights @ (y * p).sum(-1), weights @ (y + p).sum(-1)
    return 1 - (2 * both + smooth) / (sums + smooth)


def _mcc(region):
    """Return 1 - covariance over the spread of two yes-or-no variables with these means."""
    y, p = region.pairs()
    spread = y.mean() * (1 - y.mean()) * p.mean() * (1 - p.mean())
    return None if y.all() else 1 - np.cov(y, p, ddof=0)[0, 1] / math.sqrt(spread)


def _lovasz(region):
    """Return the mean of 1 - IoU over all thresholds from 0 to 1 above which an error counts.

    At each the mistakes are the `i` worst pixels, so `1 - IoU = i / |truth or mistake|`.
    """
    y, p = region.pairs()
    order = np.argsort(-np.abs(y - p))
    errors = np.append(np.abs(y - p)[order], 0)
    unions = y.sum() + np.cumsum(~y[order])
    return np.arange(1, len(y) + 1) / unions @ (errors[:-1] - errors[1:])


def _to_boundary(masks, valid):
    """Return the distance of pixels to the other side, 0 in images where there is only one."""
    found = np.zeros(masks.shape)
    for i, (inside, outside) in enumerate(zip(masks & valid, ~masks & valid, strict=True)):
        if inside.any() and outside.any():
            found[i] = ndimage.distance_transform_edt(~inside)
            found[i] += ndimage.distance_transform_edt(~outside)
    return found


def _boundary(region):
    distances = np.maximum(_to_boundary(region.truth, region.valid) - 0.5, 0)
    return (distances * np.abs(region.truth - region.chance))[region.valid].mean()


def _hausdorff(region, alpha=2.0):
    masks = region.truth, region.predicted
    distances = sum(_to_boundary(one, region.valid) ** alpha for one in masks)
    return (distances * (region.truth - region.chance) ** 2)[region.valid].mean()


def _cl_dice(region, alpha=0.5, iterations=3, smooth=0.0):
    y, p = (region.truth & region.valid) * 1.0, np.where(region.valid, region.chance, 0.0)
    y_lines, p_lines = _skeleton(y, iterations), _skeleton(p, iterations)
    # Where there are no lines, nothing of them lies outside: the limit of smooth -> 0.
    smooth = max(smooth, 1e-12)
    precision = ((p_lines * y).sum() + smooth) / (p_lines.sum() + smooth)
    recall = ((y_lines * p).sum() + smooth) / (y_lines.sum() + smooth)
    lines = 2 / (1 / precision + 1 / recall)
    return (1 - alpha) * _dice(region, smooth) + alpha * (1 - lines)


def _skeleton(maps, iterations):
    """Return algorithm 1 of the clDice paper by SciPy's grey morphology."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    lines = np.zeros_like(maps)
    for _ in range(iterations + 1):
        eroded = ndimage.grey_erosion(maps, footprint=cross, mode="nearest")
        opened = ndimage.grey_dilation(eroded, size=(1, 3, 3), mode="nearest")
        lines += (1 - lines) * np.maximum(maps - opened, 0)
        maps = eroded
    return lines


PIXELS = {
    "b_focal": _b_focal,
    "bce": _bce,
    "c_focal": _c_focal,
    "ce": _ce,
    "edge_weighted_ce": _ce,
    "ohem_ce": _ohem_ce,
    "unified_pixels": _unified_pixels,
    "weighted_ce": _ce,
}
REGIONS = {
    "boundary": _boundary,
    "cl_dice": _cl_dice,
    "dice": _dice,
    "f_tversky": _f_tversky,
    "g_dice": _g_dice,
    "hausdorff": _hausdorff,
    "jaccard": _jaccard,
    "lovasz": _lovasz,
    "mcc": _mcc,
    "tversky": _tversky,
    "unified_regions": _unified_regions,
}
SUMS = {
    "bce_dice": ("bce", "dice"),
    "bce_jaccard": ("bce", "jaccard"),
    "ce_dice": ("ce", "dice"),
    "ce_jaccard": ("ce", "jaccard"),
    "edge_weighted_ce_dice": ("edge_weighted_ce", "dice"),
    "unified_focal": ("unified_pixels", "unified_regions"),
}
