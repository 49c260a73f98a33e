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
        # Void pixels have error 0 and no truth: they come last and count for nothing.
        errors = choose(regions.shares, 1.0 - regions.chances, regions.chances)
        errors, truth = self._rows(errors), self._rows(regions.shares)
        order = ops.argsort(ops.stop_gradient(-errors), axis=-1)
        errors = ops.take_along_axis(errors, order, axis=-1)
        truth = ops.take_along_axis(truth, order, axis=-1)
        total = ops.where(regions.truth > 0, regions.truth, 1.0)
        slopes = _slopes(truth, total[..., None])
        return ops.sum(errors * ops.stop_gradient(slopes), axis=-1)

    def _rows(self, maps):
        """Return `(N, H, W, C)` as one row of pixels per class, or per image and class.

        Rows, because TensorFlow adds a leading axis up in one running float32 sum.
        """
        num_classes = maps.shape[-1]
        if self.per_image:
            flat = ops.reshape(maps, (ops.shape(maps)[0], -1, num_classes))
            return ops.transpose(flat, (0, 2, 1))
        return ops.transpose(ops.reshape(maps, (-1, num_classes)), (1, 0))


def _slopes(truth, total):
    """Return what each mistake adds to `1 - IoU`, given those before it.

    With `f` mistakes outside the truth so far and `t` truth pixels missed, a missed pixel adds
    `1 / (Y + f)` and one outside `(Y - t) / ((Y + f) (Y + f - 1))`; of a pixel that is in the truth
    by a share, the share counts as missed and the rest as outside. Differences of the IoUs
    themselves would be lost in float32 among a million pixels.

    Args:
        truth: bool or float32 `(..., P)`, sorted by error.
        total: `Y`, float32 `(..., 1)`.
    """
    hard = keras.backend.standardize_dtype(truth.dtype) == "bool"
    # Whole numbers are counted as such: a float32 count stops at 2**24.
    shares = ops.cast(truth, "int32" if hard else "float32")
    missed = ops.cast(ops.cumsum(shares, axis=-1), "float32")
    outside = ops.cumsum(1 - shares, axis=-1)
    union = total + ops.cast(outside, "float32")
    before = total + ops.maximum(ops.cast(outside - (1 - shares), "float32"), 0.0)
    left = ops.maximum(total - missed, 0.0)
    return choose(truth, 1.0 / before, left / (union * before))
