"""What can be measured on an image beside its confusion matrix: the interface, and the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kseg.inference.evaluation.options import EvaluationOptions


@dataclass(frozen=True)
class ScoredImage:
    """One image's truth and prediction.

    Attributes:
        truth: Label map `(H, W)`.
        predicted: Predicted label map `(H, W)`.
        probabilities: float32 `(H, W, C)`, or None where only label maps are known.
    """

    truth: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None = None


class Measure(Protocol):
    """Something that is measured on each image and summed up over all of them.

    Attributes:
        name: Key of the result in report.json.
    """

    name: str

    def measure(self, image: ScoredImage) -> Any:
        """Return what `add` takes; changes nothing, so that threads may call it."""

    def add(self, measured: Any) -> None:
        """Add what was measured on one image."""

    def result(self) -> Any:
        """Return plain Python values, or None where no image says anything."""


def measures_for(
    class_names: Sequence[str], ignore_class: int | None, options: EvaluationOptions
) -> list[Measure]:
    """Return what the options ask for."""
    from kseg.inference.evaluation.boundaries import BoundaryMeasure
    from kseg.inference.evaluation.calibration import CalibrationMeasure
    from kseg.inference.evaluation.curves import CurveMeasure
    from kseg.inference.evaluation.membranes import MembraneMeasure
    from kseg.inference.evaluation.sizes import SizeMeasure

    measures: list[Measure] = [SizeMeasure(ignore_class)]
    if options.boundary:
        measures.append(BoundaryMeasure(class_names, ignore_class, options.boundary_tolerance))
    if options.calibration:
        measures.append(CalibrationMeasure(ignore_class))
    if options.auc:
        measures.append(CurveMeasure(class_names, ignore_class))
    if options.v_rand:
        measures.append(MembraneMeasure(options.membrane_class, ignore_class))
    return measures
