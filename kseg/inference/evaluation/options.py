"""What an evaluation measures beside the confusion matrix, and what it writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kseg.config import EvaluateConfig


@dataclass(frozen=True)
class EvaluationOptions:
    """What to measure and to write.

    Attributes:
        boundary: Measure distances between boundaries, the slowest of all.
        boundary_tolerance: Distance in pixels that counts as right in the surface Dice.
        auc: Measure the areas under the ROC and the precision-recall curve of each class.
        v_rand: Measure splits and mergers of the cells between membranes.
        membrane_class: Label of the membranes.
        calibration: Measure how far probabilities can be trusted.
        bootstrap: Number of resamples of the images for the intervals; 0 leaves them out.
        seed: Seed of the resampling.
        worst: Number of the worst and of the best images that the report shows.
        html: Write report.html.
        charts: Write the charts and the confusion matrix as PNG.
    """

    boundary: bool = False
    boundary_tolerance: float = 2.0
    auc: bool = False
    v_rand: bool = False
    membrane_class: int = 1
    calibration: bool = False
    bootstrap: int = 1000
    seed: int = 0
    worst: int = 0
    html: bool = False
    charts: bool = False

    @classmethod
    def of(cls, config: EvaluateConfig) -> EvaluationOptions:
        """Return what the settings of `kseg evaluate` ask for."""
        names = ("boundary", "boundary_tolerance", "auc", "v_rand", "membrane_class", "bootstrap")
        values = {name: getattr(config, name) for name in (*names, "seed", "worst", "html")}
        # Masks say nothing about probabilities.
        return cls(**values, calibration=config.calibration and config.mode == "both", charts=True)

    def reported(self) -> dict[str, Any]:
        """Return what the scores depend on."""
        values = asdict(self)
        return {name: value for name, value in values.items() if name not in ("html", "charts")}

    @property
    def needs_probabilities(self) -> bool:
        """Whether label maps are not enough."""
        return self.calibration or self.auc or self.v_rand
