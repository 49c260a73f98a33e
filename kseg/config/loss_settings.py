"""Checks of the settings of the loss of `kseg train`."""

from __future__ import annotations

import math
from typing import Any

from kseg.config.parse import UsageError


def check_loss_settings(config: Any) -> None:
    """Make numbers of the class weights, or raise UsageError for what the loss cannot take."""
    for name in ("class_weights", "ignore_class"):
        if name in config.loss_options:
            raise UsageError(f"--loss_options: give {name} as --{name}")
    if isinstance(config.class_weights, str):
        return
    config.class_weights = [float(weight) for weight in config.class_weights]
    positive = [weight for weight in config.class_weights if 0 < weight < math.inf]
    if not positive or any(not 0 <= weight < math.inf for weight in config.class_weights):
        raise UsageError(
            "--class_weights must be numbers of at least 0 that are not all 0, got "
            f"{config.class_weights}"
        )
