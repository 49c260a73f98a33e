"""Losses that compare how far the regions of truth and prediction overlap, class by class."""

import keras
from keras import ops

from kseg.losses.base import ClassLoss
from kseg.losses.options import check_number
from kseg.losses.reduce import safe_divide, safe_power
from kseg.losses.regions import read_overlap
from kseg.losses.registry import register


class OverlapLoss(ClassLoss):
    """A loss of the soft counts of pixels of each class.

    Args:
        smooth: A number of at least 0, added to numerator and denominator of the ratio.
        **options: See `ClassLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, smooth=0.0, **options):
        super().__init__(**options)
        self.smooth = check_number("smooth", smooth)

    def overlap_values(self, overlap):
        """Return the loss of every class from its `Overlap`."""
        raise NotImplementedError

    def class_values(self, regions):
        """Return the loss of every class."""
        return self.overlap_values(read_overlap(regions))

    def get_config(self):
        return {**super().get_config(), "smooth": self.smooth}


def lost_overlap(overlap, alpha, beta, smooth):
    """Return `1 - (TP + s) / (TP + a FP + b FN + s)`, the core of all ratios of overlap.

    The subtraction is carried out by hand: near the optimum the float32 difference of two
    numbers close to 1 would be noise.
    """
    lost = alpha * overlap.extra + beta * overlap.missed
    return lost / (overlap.hits + lost + smooth)


@register("dice")
@keras.saving.register_keras_serializable("kseg")
class Dice(OverlapLoss):
    """Mean over the classes with truth pixels of `1 - (2 TP + s) / (2 TP + FP + FN + s)`.

    `TP` is the probability on the class' truth pixels, `FN` what is missing there, `FP` the
    probability on the other valid pixels, each summed over the batch. A perfect prediction
    gives 0, an all-wrong one 1 (with `smooth=0`). From V-Net (Milletari et al. 2016,
    arXiv:1606.04797), which squares each summand of the denominator; plain sums make the loss
    of hard masks exactly 1 - F1. The options are those of `OverlapLoss`.
    """

    def overlap_values(self, overlap):
        """Return 1 minus the soft Dice coefficient of every class."""
        return lost_overlap(overlap, 0.5, 0.5, 0.5 * self.smooth)


@register("jaccard")
@keras.saving.register_keras_serializable("kseg")
class Jaccard(OverlapLoss):
    """Mean over the classes with truth pixels of `1 - (TP + s) / (TP + FP + FN + s)`.

    The soft IoU of Rahman & Wang (2016, "Optimizing Intersection-Over-Union in Deep Neural
    Networks for Image Segmentation", ISVC); counts and rules are those of `Dice`. On hard
    masks it is exactly 1 - IoU. A perfect prediction gives 0, an all-wrong one 1 (with
    `smooth=0`). The options are those of `OverlapLoss`.
    """

    def overlap_values(self, overlap):
        """Return 1 minus the soft IoU of every class."""
        return lost_overlap(overlap, 1.0, 1.0, self.smooth)


@register("tversky")
@keras.saving.register_keras_serializable("kseg")
class Tversky(OverlapLoss):
    """Mean over the classes with truth pixels of `1 - (TP + s) / (TP + a FP + b FN + s)`.

    Salehi et al. (2017, arXiv:1706.05721): `alpha` weighs false positives, `beta` false
    negatives; with 0.3 and 0.7 a missed pixel costs more than an extra one. Both 0.5 is
    `Dice`, both 1 is `Jaccard`. The paper looks at the foreground of two classes; here every
    class counts unless `class_ids` leaves some out. A perfect prediction gives 0, an
    all-wrong one 1 (with `smooth=0`).

    Args:
        alpha: Weight of false positives, at least 0.
        beta: Weight of false negatives, above 0.
        **options: See `OverlapLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, alpha=0.3, beta=0.7, **options):
        super().__init__(**options)
        self.alpha = check_number("alpha", alpha)
        self.beta = check_number("beta", beta, above=True)

    def overlap_values(self, overlap):
        """Return 1 minus the Tversky index of every class."""
        return lost_overlap(overlap, self.alpha, self.beta, self.smooth)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta}


@register("f_tversky")
@keras.saving.register_keras_serializable("kseg")
class FocalTversky(Tversky):
    """Mean over the classes with truth pixels of `(1 - TI) ** gamma`, `TI` as in `Tversky`.

    Abraham & Khan (2018, arXiv:1810.07842): their exponent `1 / gamma` with 4/3 is `gamma`
    0.75 here, and their `alpha` 0.7 of false negatives is `beta`. They add the classes up;
    the mean keeps the value between 0 and 1. A perfect prediction gives 0 with gradient 0, an
    all-wrong one 1 (with `smooth=0`).

    Args:
        gamma: Exponent above 0; below 1 it drives on classes that are nearly right.
        **options: See `Tversky`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, gamma=0.75, **options):
        super().__init__(**options)
        self.gamma = check_number("gamma", gamma, above=True)

    def overlap_values(self, overlap):
        """Return the focal Tversky loss of every class."""
        return safe_power(super().overlap_values(overlap), self.gamma)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}


@register("g_dice")
@keras.saving.register_keras_serializable("kseg")
class GeneralizedDice(OverlapLoss):
    """One ratio for all classes: `1 - 2 sum(w TP) / sum(w (2 TP + FP + FN))`, `w = 1 / Y²`.

    Sudre et al. (2017, arXiv:1707.03237); `Y` is the number of truth pixels of the class, so
    that small classes count as much as large ones. Classes without truth pixels have no
    weight. Both classes of a sigmoid channel count, as in the paper. The weights are scaled
    to 1 for the smallest class, whose pixels are the unit of `smooth`; `class_weights`
    multiply them. A perfect prediction gives 0, an all-wrong one 1 (with `smooth=0`). The
    options are those of `OverlapLoss`.
    """

    classes_of_sigmoid = (0, 1)

    def class_terms(self, regions, weights):
        """Return one value per image, or one for the batch, and whether it counts."""
        overlap = read_overlap(regions)
        present = weights > 0
        smallest = ops.min(ops.where(present, regions.truth, float("inf")), -1, keepdims=True)
        scale = ops.where(present, safe_divide(smallest, regions.truth), 0.0)
        weights = weights * scale * scale
        lost = ops.sum(weights * (overlap.extra + overlap.missed), axis=-1, keepdims=True)
        hits = ops.sum(weights * overlap.hits, axis=-1, keepdims=True)
        values = safe_divide(lost, lost + 2.0 * hits + self.smooth)
        return values, ops.cast(ops.any(present, axis=-1, keepdims=True), "float32"), -1
