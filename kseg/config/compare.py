"""Settings of `kseg compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kseg.config.parse import UsageError


@dataclass
class CompareConfig:
    """Compare training runs: scores, sizes, times and the settings that differ between them.

    Args:
        runs: Run folders such as weights/exp1/unet, or folders with runs below such as weights.
        output: Folder for compare.csv and compare.png, the curves of all runs; by default
            nothing is written.
    """

    runs: list[str] | str
    output: str | None = None

    # Fields that take any number of values on the command line, and their help.
    several: ClassVar[dict[str, str]] = {
        "runs": "Run folders such as weights/exp1/unet, or folders with runs below."
    }

    def __post_init__(self) -> None:
        """Check that there is something to compare."""
        self.runs = [self.runs] if isinstance(self.runs, str) else self.runs
        if not self.runs:
            raise UsageError("give at least one run folder such as weights/exp1/unet")
