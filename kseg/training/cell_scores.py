"""Scores of cells and of the membranes between them, as the ISBI 2012 challenge had them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kseg.metrics import SplitMergeScore, best_over_thresholds, membrane_instances


@dataclass(frozen=True)
class CellScores:
    """What the challenge on the ISBI 2012 data set measured, over all pixels of some images.

    Attributes:
        images: Number of images.
        scored_class: Name of the class that `dice` is about: the second one, the membrane of ISBI.
        pixel_error: Share of the pixels whose class is wrong, 0..1.
        pixel_error_of_empty: The same for a prediction of the first class everywhere.
        dice: Dice of that class, 0..1.
        v_rand: How well the cells agree, at `threshold`; None where there is no cell.
        threshold: Probability from which a pixel separates cells, chosen on the validation images.
        v_rand_best: The same at `threshold_best`, the best for the scored images themselves, as
            the challenge has it.
        threshold_best: That threshold.
    """

    images: int
    scored_class: str
    pixel_error: float
    pixel_error_of_empty: float
    dice: float
    v_rand: SplitMergeScore | None = None
    threshold: float | None = None
    v_rand_best: SplitMergeScore | None = None
    threshold_best: float | None = None


@dataclass(frozen=True)
class Answers:
    """Truth and prediction of some images, of equal order.

    Attributes:
        labels: Label maps `(H, W)`.
        probabilities: Probabilities of the second class, `(H, W)`, 0..1.
        void: Label of pixels that count nowhere.
        membrane: Label of what separates cells, 0 or 1.
    """

    labels: Sequence[np.ndarray]
    probabilities: Sequence[np.ndarray]
    void: int
    membrane: int

    def confusion(self) -> np.ndarray:
        """Return the counts `(truth, prediction)` of the two classes, int64 `(2, 2)`."""
        counts = np.zeros((2, 2), np.int64)
        for labels, chance in zip(self.labels, self.probabilities, strict=True):
            valid = labels != self.void
            cells = 2 * labels[valid].astype(np.int64) + (chance[valid] > 0.5)
            counts += np.bincount(cells, minlength=4).reshape(2, 2)
        return counts

    def cells(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return numbered true cells and probabilities of what separates them.

        Images without a cell are left out. True membrane counts nowhere in the scores of cells, so
        void pixels are taken for it.
        """
        truths, maps = [], []
        for labels, chance in zip(self.labels, self.probabilities, strict=True):
            cells = membrane_instances((labels == self.membrane) | (labels == self.void))
            if cells.any():
                truths.append(cells)
                maps.append(chance if self.membrane == 1 else 1 - chance)
        return truths, maps


def cell_scores(held_out: Answers, chosen_on: Answers, scored_class: str) -> CellScores:
    """Score predictions.

    Args:
        held_out: What is scored.
        chosen_on: What the threshold of `v_rand` is chosen on.
        scored_class: Name of the second class.
    """
    counts = held_out.confusion()
    total, true, found = max(counts.sum(), 1), counts[1].sum(), counts[:, 1].sum()
    scores = CellScores(
        images=len(held_out.labels),
        scored_class=scored_class,
        pixel_error=float((counts[0, 1] + counts[1, 0]) / total),
        pixel_error_of_empty=float(true / total),
        # Nothing to find and nothing found is right.
        dice=float(2 * counts[1, 1] / (true + found)) if true + found else 1.0,
    )
    truths, maps = held_out.cells()
    others = chosen_on.cells()
    if not truths or not others[0]:
        return scores
    threshold, _ = best_over_thresholds(*others)
    best, score = best_over_thresholds(truths, maps)
    return replace(
        scores,
        v_rand=_at_threshold(truths, maps, threshold),
        threshold=threshold,
        v_rand_best=score,
        threshold_best=best,
    )


def _at_threshold(
    truths: Sequence[np.ndarray], maps: Sequence[np.ndarray], threshold: float
) -> SplitMergeScore:
    return best_over_thresholds(truths, maps, thresholds=[threshold])[1]
