"""What the labels of an evaluation mean, and what is measured with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kseg.data.dataset import Dataset
from kseg.inference.evaluation.measures import Measure, ScoredImage, measures_for
from kseg.inference.evaluation.options import EvaluationOptions
from kseg.metrics import confusion_matrix


@dataclass(frozen=True)
class Classes:
    """Classes and options of an evaluation.

    Attributes:
        names: Names of the classes.
        ignore_class: Label of void pixels, or None.
        void: Label of pixels that are shown as void.
        options: What to measure.
    """

    names: Sequence[str]
    ignore_class: int | None
    void: int
    options: EvaluationOptions

    @classmethod
    def of(cls, dataset: Dataset, options: EvaluationOptions) -> Classes:
        """Return those of a data set.

        Raises:
            ValueError: The class of the membranes is none of them.
        """
        names = dataset.class_names
        if options.v_rand and not 0 <= options.membrane_class < len(names):
            raise ValueError(
                f"--membrane_class is {options.membrane_class}, but the classes are 0 to "
                f"{len(names) - 1} ({', '.join(names)})"
            )
        return cls(names, dataset.ignore_class, dataset.void, options)

    def measures(self) -> list[Measure]:
        """Return what is measured beside the confusion matrix."""
        return measures_for(self.names, self.ignore_class, self.options)

    def measurer(self) -> Callable[[ScoredImage], list[Any]]:
        """Return the function that measures an image; threads may call it.

        It gives the confusion matrix, and what each of `measures` found, and raises ValueError for
        a label that is no class.
        """
        measures = self.measures()

        def measure(image: ScoredImage) -> list[Any]:
            count = len(self.names)
            confusion = confusion_matrix(image.truth, image.predicted, count, self.ignore_class)
            return [confusion, *(one.measure(image) for one in measures)]

        return measure
