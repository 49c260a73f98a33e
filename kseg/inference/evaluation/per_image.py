"""Scores of every single image: a CSV file, the worst and the best, and how they spread."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kseg.files import replacing_text
from kseg.inference.evaluation.counts import ImageCounts, all_counts
from kseg.inference.evaluation.ranking import Extremes
from kseg.metrics.scores import get_score

# Columns, and the names of the scores in `kseg.metrics`.
SCORES = {
    "mean_iou": "mean_iou",
    "object_mean_iou": "object_mean_iou",
    "mean_dice": "dice_score",
    "pixel_accuracy": "pixel_accuracy",
    "mean_pixel_accuracy": "mean_pixel_accuracy",
}
# The score that images are ranked by.
RANKED_BY = "mean_iou"
HISTOGRAM_BINS = 20

Ranked = list[tuple[float, int]]


def image_scores(counts: ImageCounts) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield numbers of images `(n,)` and their scores, NaN where the truth has nothing to find.

    Means are over the classes that the truth of the image has. `pixels` is how many count, and
    `iou` the IoU of each class `(n, C)`.
    """
    for numbers, table in counts.chunks():
        parts = all_counts(table)
        values = {"pixels": parts.truth.sum(-1).astype(np.int64)}
        for key, name in SCORES.items():
            score = get_score(name)
            seen = parts.truth[..., score.first_class :].sum(-1) > 0
            values[key] = np.where(seen, score.value(parts, np), np.nan)
        values["iou"] = get_score("iou_score").value(parts, np, None)
        yield numbers, values


def write_scores(
    path: Path, counts: ImageCounts, names: Sequence[str], class_names: Sequence[str]
) -> None:
    """Write a CSV file with a row per image; what an image has no score of is empty.

    Args:
        path: The file.
        counts: Counts of the images.
        names: Name of each image.
        class_names: Names of the classes.
    """
    keys = ("pixels", *SCORES)
    with replacing_text(path) as file:
        rows = csv.writer(file)
        rows.writerow(["image", *keys, *(f"iou {name}" for name in class_names)])
        for numbers, values in image_scores(counts):
            columns = [*(values[key] for key in keys), *values["iou"].T]
            for number, *row in zip(numbers, *columns, strict=True):
                rows.writerow([names[number], *(_cell(value) for value in row)])


def _cell(value: np.number) -> str:
    if isinstance(value, np.integer):
        return str(value)
    return "" if np.isnan(value) else f"{value:.6f}"


def rank_images(counts: ImageCounts, shown: int) -> tuple[Ranked, Ranked]:
    """Return scores and numbers of the worst and of the best images, none of them twice.

    Args:
        counts: Counts of the images.
        shown: How many of each at most.
    """
    extremes: Extremes[int] = Extremes(shown)
    for numbers, values in image_scores(counts):
        for number, score in zip(numbers.tolist(), values[RANKED_BY].tolist(), strict=True):
            if score == score:  # an image without truth has none
                extremes.offer(score, number)
    worst = extremes.worst()
    return worst, [one for one in extremes.best() if one not in worst]


def spread(counts: ImageCounts) -> dict[str, Any]:
    """Return mean, standard deviation and histogram of the mean IoU of the images."""
    number, total, squares = 0, 0.0, 0.0
    bins = np.zeros(HISTOGRAM_BINS, np.int64)
    for _, values in image_scores(counts):
        scores = values[RANKED_BY][~np.isnan(values[RANKED_BY])]
        number, total = number + scores.size, total + scores.sum()
        squares += np.square(scores).sum()
        bins += np.histogram(scores, HISTOGRAM_BINS, (0, 1))[0]
    mean = total / number if number else None
    deviation = None if mean is None else max(squares / number - mean**2, 0.0) ** 0.5
    plain = (None if value is None else float(value) for value in (mean, deviation))
    return dict(zip(("mean", "deviation", "histogram"), (*plain, bins.tolist()), strict=True))
