"""Settings of `kseg launch`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kseg.config.checks import require_at_least
from kseg.config.parse import UsageError


@dataclass
class LaunchConfig:
    """Start a command several times on this machine, as the processes of one training run.

    The output of the first process is shown; when one process ends too early, all others are
    ended. `launch --processes 2 -- train.py --epochs 5`

    Args:
        command: What to start, after `--`: a script such as train.py, or a command of kseg such
            as train, with its flags.
        processes: How many processes; with GPUs each takes one, in this order.
    """

    command: list[str] | str
    processes: int = 2

    # Fields that take any number of values on the command line, and their help.
    several: ClassVar[dict[str, str]] = {
        "command": "After --: a script such as train.py, or a command of kseg, with its flags."
    }

    def __post_init__(self) -> None:
        """Check the number of processes."""
        self.command = [self.command] if isinstance(self.command, str) else self.command
        require_at_least(self, 1, "processes")
        if not self.command:
            raise UsageError("say after -- what to start, such as: -- train.py --epochs 5")
