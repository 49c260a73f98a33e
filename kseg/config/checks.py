"""Range checks that several configs share."""

from __future__ import annotations

from typing import Any

from kseg.config.parse import UsageError


def require_at_least(config: Any, minimum: float, *names: str) -> None:
    """Raise UsageError for the first named field below `minimum`; None is left out."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not value >= minimum:
            raise UsageError(f"--{name} must be at least {minimum}, got {value}")


def require_at_most(config: Any, maximum: float, *names: str) -> None:
    """Raise UsageError for the first named field above `maximum`; None is left out."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not value <= maximum:
            raise UsageError(f"--{name} must be at most {maximum}, got {value}")


def require_plain_name(config: Any, *names: str) -> None:
    """Raise UsageError where a field is no plain folder name."""
    for name in names:
        value = getattr(config, name)
        if not value or value in (".", "..") or any(mark in value for mark in "/\\\0"):
            raise UsageError(f"--{name} must be a folder name without slashes, got {value!r}")
