"""One focal loss over pixels and one over regions with shared constants."""

import keras
from keras import ops

from kseg.losses.base import PixelLoss
from kseg.losses.options import check_flag, check_number
from kseg.losses.pixel import log_probabilities
from kseg.losses.reduce import safe_power
from kseg.losses.region import OverlapLoss, lost_overlap
from kseg.losses.truth import true_class


@keras.saving.register_keras_serializable("kseg")
class ModifiedFocal(PixelLoss):
    """Mean over valid pixels of `w (1 - p) ** g * -log p`, the pixels' half of `unified_focal`.

    Args:
        delta: Weight `w` of pixels of the foreground, `1 - delta` that of class 0; 0 to 1.
        gamma: Exponent `g`, from 0 to below 1; 0 for the foreground if `asymmetric`.
        asymmetric: Whether easy pixels count less in the background only.
        **options: See `PixelLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, delta=0.6, gamma=0.5, asymmetric=True, **options):
        super().__init__(**options)
        self.delta = check_number("delta", delta, 0.0, 1.0)
        self.gamma = check_number("gamma", gamma, 0.0, 0.999)
        self.asymmetric = check_flag("asymmetric", asymmetric)

    def pixel_values(self, batch):
        """Return the loss of the true class, `(N, H, W)`."""
        logs = log_probabilities(batch, self.from_logits)
        foreground = ops.arange(logs.shape[-1]) > 0
        focus = safe_power(-ops.expm1(logs), self.gamma)
        if self.asymmetric:
            focus = ops.where(foreground, 1.0, focus)
        weights = ops.where(foreground, self.delta, 1.0 - self.delta)
        return true_class(batch, -logs * focus * weights)

    def get_config(self):
        own = {"delta": self.delta, "gamma": self.gamma, "asymmetric": self.asymmetric}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("kseg")
class ModifiedFocalTversky(OverlapLoss):
    """Mean over classes of `(1 - mTI) ** (1 - g)`, the regions' half of `unified_focal`.

    `mTI = TP / (TP + delta FN + (1 - delta) FP)`. Both classes of a sigmoid channel count.

    Args:
        delta: Weight of false negatives, `1 - delta` that of false positives; above 0, at
            most 1.
        gamma: `g`, from 0 to below 1; 0 for the background if `asymmetric`.
        asymmetric: Whether only the foreground is driven on when it is nearly right.
        **options: See `OverlapLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    classes_of_sigmoid = (0, 1)

    def __init__(self, *, delta=0.6, gamma=0.5, asymmetric=True, **options):
        super().__init__(**options)
        self.delta = check_number("delta", delta, 0.0, 1.0, above=True)
        self.gamma = check_number("gamma", gamma, 0.0, 0.999)
        self.asymmetric = check_flag("asymmetric", asymmetric)

    def overlap_values(self, overlap):
        """Return the loss of every class."""
        lost = lost_overlap(overlap, 1.0 - self.delta, self.delta, self.smooth)
        driven = safe_power(lost, 1.0 - self.gamma)
        if not self.asymmetric:
            return driven
        return ops.where(ops.arange(lost.shape[-1]) > 0, driven, lost)

    def get_config(self):
        own = {"delta": self.delta, "gamma": self.gamma, "asymmetric": self.asymmetric}
        return {**super().get_config(), **own}
