"""Check of the settings that say which processes work on many files."""

from __future__ import annotations

from typing import Any, Literal

from kseg.config.checks import require_at_least
from kseg.config.parse import UsageError

EngineName = Literal["local", "ray"]


def check_engine(config: Any) -> None:
    """Check `workers` and `ray_address`.

    Raises:
        UsageError: One of them is out of its range, or asks for another engine.
    """
    require_at_least(config, 1, "workers")
    if config.ray_address is not None and config.engine != "ray":
        raise UsageError("--ray_address is for --engine ray; give both or leave it out")
