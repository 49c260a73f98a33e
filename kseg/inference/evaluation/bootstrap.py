"""How far scores would spread on other images of the same kind: the bootstrap over images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kseg.inference.evaluation.counts import all_counts
from kseg.metrics.scores import get_score

LEVEL = 0.95
# Means of the report that get an interval, and their names in `kseg.metrics`.
MEANS = {
    "mean_iou": "mean_iou",
    "object_mean_iou": "object_mean_iou",
    "mean_dice": "dice_score",
    "pixel_accuracy": "pixel_accuracy",
    "mean_pixel_accuracy": "mean_pixel_accuracy",
    "fw_iou": "fw_iou",
}
# Images whose draws are in memory at a time.
_MOST = 2048

Interval = list[float] | None


def bootstrap_intervals(
    chunks: Iterable[np.ndarray], images: int, resamples: int, seed: int
) -> dict[str, Any]:
    """Return 95 % percentile intervals of the scores of a data set.

    Each resample draws as many images as there are, with replacement, adds up their counts and
    scores the sum (Efron, 1979, "Bootstrap methods: another look at the jackknife"); the interval
    goes from the 2.5th to the 97.5th percentile of the scores. Images of one film or of one patient
    are alike: the true spread is larger than this.

    Args:
        chunks: Counts of the images, `(n, 3, C)` each: TP, FP and FN of the classes.
        images: Number of images in all chunks together.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Returns:
        `{"means": {score: [low, high]}, "iou": [[low, high] of each class]}`, None where no
        resample has a score.
    """
    sums = resampled_sums(chunks, images, resamples, np.random.default_rng(seed))
    counts, means = all_counts(sums), {}
    for key, name in MEANS.items():
        score = get_score(name)
        seen = counts.truth[..., score.first_class :].sum(-1) > 0
        means[key] = interval(score.value(counts, np)[seen])
    ious = get_score("iou_score").value(counts, np, None).T
    intervals = [interval(column[~np.isnan(column)]) for column in ious]
    if len(intervals) == 2:
        means["foreground_iou"] = intervals[1]
    return {"means": means, "iou": intervals}


def resampled_sums(
    chunks: Iterable[np.ndarray], images: int, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the sums of each resample `(resamples, ...)` of chunks `(n, ...)`.

    How often each image is drawn is multinomial; chunk by chunk it is binomial how many of the
    draws that are left fall into the chunk.
    """
    to_draw, left = np.full(resamples, images), images
    sums: np.ndarray | None = None
    for part in _parts(chunks):
        drawn = rng.binomial(to_draw, len(part) / left)
        to_draw, left = to_draw - drawn, left - len(part)
        weights = rng.multinomial(drawn, np.full(len(part), 1 / len(part)))
        # Whole numbers below 2**53 stay exact, and floating-point products are much faster.
        flat = part.reshape(len(part), -1).astype(np.float64)
        more = weights.astype(np.float64) @ flat
        sums, shape = more if sums is None else sums + more, part.shape[1:]
    if sums is None:
        raise ValueError("there is no image to resample")
    return sums.reshape(resamples, *shape)


def _parts(chunks: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    for chunk in chunks:
        for start in range(0, len(chunk), _MOST):
            yield chunk[start : start + _MOST]


def interval(values: np.ndarray) -> Interval:
    """Return the percentile interval of values, None without any."""
    if not values.size:
        return None
    return np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)]).tolist()
