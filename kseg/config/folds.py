"""Checks of the folds of `kseg train`."""

from __future__ import annotations

from typing import Any

from kseg.config.parse import UsageError


def check_folds(config: Any) -> None:
    """Raise UsageError for too few folds, or a fold that is none of them."""
    if config.folds < 0 or config.folds in (1, 2):
        raise UsageError(f"--folds must be at least 3, or 0 for none, got {config.folds}")
    if config.fold is not None and not config.folds:
        raise UsageError("--fold needs --folds")
    if config.fold is not None and not 0 <= config.fold < config.folds:
        raise UsageError(f"--fold must be below --folds {config.folds}, got {config.fold}")
