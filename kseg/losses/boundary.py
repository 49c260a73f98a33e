"""Losses that weigh errors by their distance to the boundary of the truth."""

import keras
from keras import ops

from kseg.losses.base import ClassLoss
from kseg.losses.distance import distances
from kseg.losses.options import check_number
from kseg.losses.reduce import safe_divide
from kseg.losses.registry import register
from kseg.losses.truth import choose


class DistanceLoss(ClassLoss):
    """A mean over valid pixels of errors weighted by distances, for each class.

    Void pixels belong to no class when distances are taken. Where an image has no boundary,
    because the class has no pixel there or nothing else has, the distances to it are 0.
    Distances take `H + W` passes over the maps: dear on large images.
    """

    def pixel_costs(self, regions, inner, outer):
        """Return the cost of every pixel for each class, `(N, H, W, C)`.

        Args:
            regions: The `Regions` to compare.
            inner: Distance in pixels to the nearest pixel outside the class, 0 outside.
            outer: Distance in pixels to the nearest pixel of the class, 0 inside.
        """
        raise NotImplementedError

    def class_values(self, regions):
        """Return the mean cost over the valid pixels."""
        others = ops.logical_and(regions.valid, ops.logical_not(regions.masks))
        costs = self.pixel_costs(regions, distances(others), distances(regions.masks))
        costs = ops.where(regions.valid, costs, 0.0)
        return safe_divide(regions.sum(costs), regions.sum(ops.cast(regions.valid, "float32")))


@register("boundary")
@keras.saving.register_keras_serializable("kseg")
class Boundary(DistanceLoss):
    """Mean over valid pixels of `|d| |y - p|`, `d` the distance to the boundary of the truth.

    Kervadec et al. (2019, arXiv:1812.07032), the mean over the classes with truth pixels. Their
    sum of `d p` with negative `d` inside the truth differs from it by a constant, which puts
    the optimum at 0 here; and the boundary lies half a pixel beyond the last pixel, where
    theirs goes through the truth's outermost pixels. In pixels, so an error far away costs
    much and one at the boundary next to nothing: use it with a loss of overlap,
    `get_loss("dice") + 0.01 * get_loss("boundary")`. The options are those of `ClassLoss`.
    """

    def pixel_costs(self, regions, inner, outer):
        """Return `|d| |y - p|`."""
        errors = choose(regions.shares, 1.0 - regions.chances, regions.chances)
        return ops.maximum(inner + outer - 0.5, 0.0) * errors


@register("hausdorff")
@keras.saving.register_keras_serializable("kseg")
class Hausdorff(DistanceLoss):
    """Mean over valid pixels of `(y - p)² (d_y ** a + d_p ** a)`.

    The distance-transform loss of Karimi & Salcudean (2019, arXiv:1904.10030), which lowers
    the Hausdorff distance: `d_y` and `d_p` are the distances to the boundary of the truth and
    of the prediction (the most likely class of each pixel), in pixels. The mean over the
    classes with truth pixels. A perfect prediction gives 0. Like `Boundary` it wants a loss of
    overlap beside it at first.

    Args:
        alpha: Exponent `a` of the distances, above 0.
        **options: See `ClassLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, alpha=2.0, **options):
        super().__init__(**options)
        self.alpha = check_number("alpha", alpha, above=True)

    def pixel_costs(self, regions, inner, outer):
        """Return the squared errors times the distances to both boundaries."""
        best = ops.argmax(regions.chances, axis=-1)[..., None]
        predicted = ops.equal(best, ops.arange(regions.masks.shape[-1], dtype=best.dtype))
        predicted = ops.logical_and(predicted, regions.valid)
        others = ops.logical_and(regions.valid, ops.logical_not(predicted))
        theirs = distances(others) + distances(predicted)
        errors = choose(regions.shares, 1.0 - regions.chances, regions.chances)
        return ops.square(errors) * (
            ops.power(inner + outer, self.alpha) + ops.power(theirs, self.alpha)
        )

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}
