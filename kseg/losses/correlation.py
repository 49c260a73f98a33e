"""A loss of the correlation of truth and prediction."""

import keras
from keras import ops

from kseg.losses.base import ClassLoss
from kseg.losses.regions import read_overlap
from kseg.losses.registry import register

# A product of two variances; one pixel in a billion has 1e-18.
_SMALLEST = 1e-24


@register("mcc")
@keras.saving.register_keras_serializable("kseg")
class MatthewsCorrelation(ClassLoss):
    """Mean over the classes with truth pixels of `1 - MCC`.

    `MCC = (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))` of the soft counts,
    Matthews' correlation coefficient (Abhishek & Hamarneh 2021, arXiv:2010.13454, for two
    classes). Unlike Dice it also looks at the true negatives. A perfect prediction gives 0, a
    constant one 1, an all-wrong one 2. A class that covers every valid pixel has no
    correlation and does not count. The options are those of `ClassLoss`.
    """

    def class_terms(self, regions, weights):
        """Return the values, without weight for a class that is everywhere."""
        pixels = regions.sum(ops.cast(regions.valid, "float32"))
        weights = ops.where(regions.truth < pixels, weights, 0.0)
        return self.class_values(regions), weights, -1

    def class_values(self, regions):
        """Return 1 minus the soft correlation of every class."""
        pixels = ops.maximum(regions.sum(ops.cast(regions.valid, "float32")), 1.0)
        # Shares of pixels: products of four counts would leave float32's range.
        hits, extra, missed, rest = (part / pixels for part in read_overlap(regions))
        common = hits * rest - extra * missed
        spread = (hits + extra) * (hits + missed) * (rest + extra) * (rest + missed)
        return 1.0 - common / ops.sqrt(ops.maximum(spread, _SMALLEST))
