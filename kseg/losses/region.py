"""Losses that compare the regions of truth and prediction, class by class."""

import keras

from kseg.losses.base import RegionLoss
from kseg.losses.registry import register


@register("dice")
@keras.saving.register_keras_serializable("kseg")
class Dice(RegionLoss):
    """Mean over the classes with truth pixels of `1 - (2 I + s) / (Y + P + s)`.

    `I` is the probability on the class' truth pixels, `Y` their number, `P` the probability on
    all valid pixels, each summed over the batch. A perfect prediction gives 0, an all-wrong
    one 1 (with `smooth=0`). From V-Net (Milletari et al. 2016, arXiv:1606.04797), which squares
    each summand of `Y` and `P`; plain sums make the loss of hard masks exactly 1 - F1. The
    options are those of `RegionLoss`.
    """

    def region_values(self, overlap, truth, predicted):
        """Return 1 minus the soft Dice coefficient of every class."""
        return 1.0 - (2.0 * overlap + self.smooth) / (truth + predicted + self.smooth)
