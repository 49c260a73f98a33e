"""Settings of `kseg models`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ModelsConfig:
    """List the models with their papers, parameters and multiply-adds.

    Args:
        json: Print JSON instead of a table.
    """

    json: bool = False
