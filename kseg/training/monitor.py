"""Which number tells how good an epoch was."""

from __future__ import annotations

import difflib
from typing import Literal

from kseg.config import TrainConfig
from kseg.metrics import list_metrics

# Computed in every run.
SCORES = ("iou_score", "jaccard_score", "dice_score", "f1_score", "f2_score", "pixel_accuracy")
_VALIDATION = "val_"


def monitored(config: TrainConfig) -> str:
    """Return the name in the logs of what decides which epoch is best.

    Raises:
        ValueError: It is no score or loss, or one of a validation that does not take place.
    """
    name = config.monitor or (f"{_VALIDATION}iou_score" if config.validate else "iou_score")
    known = ["loss", *list_metrics()]
    plain = name.removeprefix(_VALIDATION)
    if plain not in known:
        close = difflib.get_close_matches(plain, known, n=1)
        hint = (
            f"did you mean {name.removesuffix(plain)}{close[0]}?" if close else "see kseg.metrics"
        )
        raise ValueError(f"--monitor {name!r} is neither a loss nor a score; {hint}")
    if name != plain and not config.validate:
        raise ValueError(f"--monitor {name} needs --validate true")
    return name


def scores_of(config: TrainConfig) -> tuple[str, ...]:
    """Return the scores that a run computes: the usual ones and the one that decides."""
    name = monitored(config).removeprefix(_VALIDATION)
    return SCORES if name in ("loss", *SCORES) else (*SCORES, name)


def is_better(name: str, value: float, best: float | None) -> bool:
    """Tell whether a monitored value beats the best so far; a loss is better where it is lower."""
    if best is None:
        return True
    return value < best if mode_of(name) == "min" else value > best


def mode_of(name: str) -> Literal["max", "min"]:
    """Return whether a good value of what is monitored is high ("max") or low ("min")."""
    return "min" if name.endswith("loss") else "max"
