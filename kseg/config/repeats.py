"""The names of the runs of `kseg train --folds` and `--seeds`."""

from __future__ import annotations

from itertools import product
from typing import Any


def is_repeated(config: Any) -> bool:
    """Tell whether the settings ask for more than one run."""
    return config.seeds > 1 or (config.folds > 0 and config.fold is None)


def repeats(config: Any) -> list[dict[str, Any]]:
    """Return `exp_name`, `fold` and `seed` of each run; the end of the name tells which it is."""
    all_folds = range(config.folds) if config.fold is None else (config.fold,)
    folds = all_folds if config.folds else (None,)
    seeds = range(config.seed, config.seed + config.seeds)
    return [
        {"exp_name": _name(config, fold, seed), "fold": fold, "seed": seed}
        for fold, seed in product(folds, seeds)
    ]


def _name(config: Any, fold: int | None, seed: int) -> str:
    name = config.exp_name + ("" if fold is None else f"_fold{fold}")
    return name + (f"_seed{seed}" if config.seeds > 1 else "")
