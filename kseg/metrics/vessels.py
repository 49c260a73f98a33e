"""Scores of binary segmentation inside a field of view, as vessel papers report them.

The data sets of the retina (DRIVE, STARE, CHASE_DB1) come with a mask of the round field of
view; pixels outside count nowhere. Every function takes one image or a list of images, whose
pixels are pooled: the score is that of the data set, not a mean over images.
"""

import numpy as np

from kseg.metrics.arrays import binary_mask, check_probabilities, same_shape


def auc_in_mask(truth, probabilities, mask=None):
    """Measure the area under the ROC curve inside the field of view.

    The share of pairs of a vessel and a background pixel in which the vessel has the higher
    score, ties counted half (Mann-Whitney), from the ranks of all pixels: exact, not from a
    grid of thresholds.

    Args:
        truth: True vessels, boolean or of 0 and 1, one array of any shape or a list of arrays.
        probabilities: Scores of the same shapes, a last axis of length 1 allowed; only their
            order matters, so logits do too.
        mask: Field of view of the same shapes, inside where not 0, or None for all pixels.

    Returns:
        A number from 0 to 1; 0.5 is chance.

    Raises:
        ValueError: If the inputs do not fit, a score is not finite, or vessels or background
            are missing.
    """
    from scipy import stats

    truth, scores = _pooled(truth, probabilities, mask)
    vessels = int(np.count_nonzero(truth))
    others = truth.size - vessels
    if not vessels or not others:
        raise ValueError(
            f"AUC needs vessel and background pixels inside the mask, got {vessels} and {others}."
        )
    ranks = stats.rankdata(scores)[truth].sum()
    return float((ranks - vessels * (vessels + 1) / 2) / (vessels * others))


def average_precision_in_mask(truth, probabilities, mask=None):
    """Measure the average precision (the area under precision over recall) in the field of view.

    The sum over distinct scores, from high to low, of the gain in recall times the precision
    there; nothing is interpolated, as in scikit-learn.

    Args:
        truth: True vessels, see `auc_in_mask`.
        probabilities: Scores, only their order matters.
        mask: Field of view, or None for all pixels.

    Returns:
        A number from 0 to 1; the share of vessel pixels is chance.

    Raises:
        ValueError: If the inputs do not fit, a score is not finite, or there is no vessel.
    """
    truth, scores = _pooled(truth, probabilities, mask)
    vessels = np.count_nonzero(truth)
    if not vessels:
        raise ValueError("Average precision needs vessel pixels inside the mask, got none.")
    order = np.argsort(-scores)
    scores, hits = scores[order], np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores)), scores.size - 1)
    gains = np.diff(hits[last], prepend=0)
    return float(np.sum(gains * hits[last] / (last + 1)) / vessels)


def f1_in_mask(truth, probabilities, mask=None, *, threshold=0.5):
    """Measure F1 (Dice) of the vessels inside the field of view.

    Args:
        truth: True vessels, see `auc_in_mask`.
        probabilities: Probabilities of a vessel, 0 to 1.
        mask: Field of view, or None for all pixels.
        threshold: A pixel is predicted as vessel when its probability is above, 0 to 1.

    Returns:
        A number from 0 to 1; 1 if there is no vessel and none is predicted.

    Raises:
        ValueError: If the inputs do not fit, or values or threshold are no probabilities.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be between 0 and 1, got {threshold!r}.")
    truth, scores = _pooled(truth, probabilities, mask)
    check_probabilities("probabilities", scores)
    predicted = scores > threshold
    size = np.count_nonzero(truth) + np.count_nonzero(predicted)
    return float(2 * np.count_nonzero(truth & predicted) / size) if size else 1.0


def _pooled(truth, probabilities, mask):
    """Return the boolean truth and the float64 scores of all pixels inside, each `(n,)`."""
    truths, scores = _images(truth), _images(probabilities)
    masks = [None] * len(truths) if mask is None else _images(mask)
    if not truths or not len(truths) == len(scores) == len(masks):
        raise ValueError(
            f"Got {len(truths)} images of truth, {len(scores)} of probabilities and {len(masks)} "
            "masks, expected as many of each and at least one."
        )
    parts = [_inside(*image) for image in zip(truths, scores, masks, strict=True)]
    truth, scores = (np.concatenate(flat) for flat in zip(*parts, strict=True))
    if not np.isfinite(scores).all():
        raise ValueError("probabilities hold NaN or infinity inside the mask.")
    return truth, scores


def _images(values):
    images = values if isinstance(values, (list, tuple)) else [values]
    return [_without_channel(np.asarray(image)) for image in images]


def _without_channel(image):
    return image[..., 0] if image.ndim > 2 and image.shape[-1] == 1 else image


def _inside(truth, scores, mask):
    same_shape(truth, scores, "probabilities")
    truth, scores = binary_mask("truth", truth), scores.astype(np.float64)
    if mask is None:
        return truth.ravel(), scores.ravel()
    same_shape(truth, mask, "mask")
    return truth[mask != 0], scores[mask != 0]
