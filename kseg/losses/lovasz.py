"""The convex surrogate of the IoU."""

import keras
from keras import ops

from kseg.losses.base import ClassLoss
from kseg.losses.registry import register
from kseg.losses.truth import choose


@register("lovasz")
@keras.saving.register_keras_serializable("kseg")
class Lovasz(ClassLoss):
    """Mean over the classes with truth pixels of the Lovász extension of `1 - IoU`.

    Lovász-softmax (Berman et al. 2018, arXiv:1705.08790): the errors `|y - p|` of a class,
    from the largest to the smallest, each times what a mistake there would add to `1 - IoU`.
    On hard masks it is exactly 1 - IoU. A sigmoid channel is read as the probability of the
    foreground, not by the paper's hinge. A perfect prediction gives 0, an all-wrong one 1. The
    authors train with it after, or together with, cross-entropy. The options are those of
    `ClassLoss`.
    """

    def class_values(self, regions):
        """Return the surrogate of every class."""
        num_classes = regions.masks.shape[-1]
        rows = (ops.shape(regions.masks)[0], -1) if self.per_image else (-1,)
        # Void pixels have error 0 and no truth: they come last and count for nothing.
        errors = choose(regions.shares, 1.0 - regions.chances, regions.chances)
        errors = ops.reshape(errors, (*rows, num_classes))
        masks = ops.reshape(ops.cast(regions.shares, "float32"), (*rows, num_classes))
        axis = len(rows) - 1
        order = ops.argsort(ops.stop_gradient(-errors), axis=axis)
        errors = ops.take_along_axis(errors, order, axis=axis)
        masks = ops.take_along_axis(masks, order, axis=axis)
        truth = ops.expand_dims(ops.maximum(regions.truth, 1.0), axis)
        return ops.sum(errors * ops.stop_gradient(_slopes(masks, truth, axis)), axis=axis)


def _slopes(masks, truth, axis):
    """Return what each mistake adds to `1 - IoU`, given those before it.

    With `f` mistakes outside the truth so far and `t` truth pixels missed, a missed pixel adds
    `1 / (Y + f)` and one outside `(Y - t) / ((Y + f) (Y + f - 1))`. Differences of the IoUs
    themselves would be lost in float32 among a million pixels.
    """
    missed = ops.cumsum(masks, axis=axis)
    union = truth + ops.cumsum(1.0 - masks, axis=axis)
    outside = (truth - missed) / (union * ops.maximum(union - 1.0, 1.0))
    return masks / union + (1.0 - masks) * outside
