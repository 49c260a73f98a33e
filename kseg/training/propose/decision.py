"""A setting with the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Decision:
    """A setting of `TrainConfig`.

    Attributes:
        name: Name of the field.
        value: Its value.
        reason: Why, in one line.
    """

    name: str
    value: Any
    reason: str

    @property
    def text(self) -> str:
        """The value as YAML, in one line."""
        # In a list, where strings that need quotes get them, and scalars no end mark.
        listed = yaml.safe_dump([self.value], default_flow_style=True, width=10**6)
        return listed.strip()[1:-1]
