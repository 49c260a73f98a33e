"""Splitting a data set for cross-validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kseg.data.dataset import Dataset

FEWEST_FOLDS = 3


def with_fold(dataset: Dataset, fold: int, folds: int, seed: int = 0) -> Dataset:
    """Return the data set with one of `folds` equal parts held out to be scored.

    Training and validation samples are shuffled and dealt out; the data set's own test samples
    stay out of it. Part `fold` becomes the test part, the next one the validation part, which
    chooses the checkpoint, and the others are trained on. So every sample is scored in exactly
    one fold, by a model that neither learned from it nor was chosen by it.

    Args:
        dataset: The data set.
        fold: Number of the part, from 0.
        folds: Number of parts, at least 3.
        seed: Seed of the shuffling, the same for all folds.

    Raises:
        ValueError: Too few parts, a part that does not exist, or fewer samples than parts.
    """
    if folds < FEWEST_FOLDS:
        raise ValueError(
            f"cross-validation needs at least {FEWEST_FOLDS} folds (to learn from, to choose the "
            f"checkpoint, to score), got {folds}"
        )
    if not 0 <= fold < folds:
        raise ValueError(f"the fold must be in 0..{folds - 1}, got {fold}")
    # Where there is no validation part, the test samples stand in for it; they stay out.
    tests = set(dataset.test)
    samples = [one for one in (*dataset.train, *dataset.val) if one not in tests]
    if len(samples) < folds:
        raise ValueError(f"{dataset.name}: {len(samples)} samples are fewer than {folds} folds")
    order = np.random.default_rng(seed).permutation(len(samples))
    parts = [tuple(samples[index] for index in sorted(order[k::folds])) for k in range(folds)]
    after = (fold + 1) % folds
    rest = [one for k, part in enumerate(parts) if k not in (fold, after) for one in part]
    return replace(dataset, train=tuple(rest), val=parts[after], test=parts[fold])
