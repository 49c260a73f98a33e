"""Losses that are a mean over pixels of a function of the true class' probability."""

import keras
from keras import ops

from kseg.losses.base import PixelLoss
from kseg.losses.options import check_class_weights, check_number
from kseg.losses.reduce import safe_power
from kseg.losses.registry import register
from kseg.losses.truth import true_class

# Probabilities are clipped here before the logarithm, as Keras does.
SMALLEST = 1e-7


@register("ce")
@keras.saving.register_keras_serializable("kseg")
class CrossEntropy(PixelLoss):
    """Mean over valid pixels of `-log p` of the true class.

    With `class_weights` the sum of `-w log p` is divided by the sum of the weights `w` of the
    valid pixels. With a sigmoid channel this is binary cross-entropy. A perfect prediction
    gives 0; a uniform one gives `log C`. Probabilities (`from_logits=False`) are clipped to at
    least 1e-7, so a pixel costs at most 16.1 there.

    Args:
        label_smoothing: Share of each pixel that is spread evenly over all classes (Szegedy et
            al. 2015, arXiv:1512.00567), from 0 to 1; above 0 the optimum is above 0. The label
            alone picks the pixel's entry of `class_weights`.
        **options: See `PixelLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, label_smoothing=0.0, **options):
        super().__init__(**options)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, 0.0, 1.0)

    def pixel_values(self, batch):
        """Return `-log p` of the true class, `(N, H, W)`."""
        logs = log_probabilities(batch, self.from_logits)
        true = -true_class(batch, logs)
        if not self.label_smoothing:
            return true
        return true + self.label_smoothing * (-ops.mean(logs, axis=-1) - true)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@register("weighted_ce")
@keras.saving.register_keras_serializable("kseg")
class WeightedCrossEntropy(CrossEntropy):
    """`CrossEntropy` that does not go without `class_weights`.

    The sum of `-w log p` over valid pixels, divided by the sum of their weights `w`, so that
    the scale of the weights does not change the learning rate.

    Args:
        class_weights: A weight of at least 0 per class; `kseg.data.class_weights` computes
            them from a data set.
        **options: See `CrossEntropy`.

    Raises:
        ValueError: If there are no weights or an option has a bad value.
    """

    def __init__(self, *, class_weights=None, **options):
        if class_weights is None:
            raise ValueError(
                "weighted_ce needs class_weights: a number per class, or --class_weights "
                "median_frequency in training."
            )
        super().__init__(class_weights=class_weights, **options)


@register("c_focal")
@keras.saving.register_keras_serializable("kseg")
class CategoricalFocal(PixelLoss):
    """Mean over valid pixels of `a (1 - p) ** gamma * -log p` of the true class.

    The softmax form of the focal loss (Lin et al. 2017, arXiv:1708.02002, who use sigmoids,
    see `BinaryFocal`). `gamma=0` without `alpha` is `CrossEntropy`. A perfect prediction gives
    0, a uniform one `(1 - 1 / C) ** gamma * log C`.

    Args:
        gamma: Exponent of at least 0; the larger, the less do easy pixels count.
        alpha: A factor of at least 0 for each true class, or None for none; unlike
            `class_weights`, the mean is not divided by it.
        **options: See `PixelLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, gamma=2.0, alpha=None, **options):
        super().__init__(**options)
        self.gamma = check_number("gamma", gamma)
        self.alpha = check_class_weights(alpha, "alpha")

    def pixel_values(self, batch):
        """Return the focal loss of the true class, `(N, H, W)`."""
        logs = log_probabilities(batch, self.from_logits)
        values = -logs * safe_power(-ops.expm1(logs), self.gamma)
        if self.alpha is not None:
            values = values * self.table_of_classes("alpha", self.alpha, logs.shape[-1])
        return true_class(batch, values)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma, "alpha": self.alpha}


def log_probabilities(batch, from_logits):
    """Return `log p` of every class, `(N, H, W, C)`."""
    if from_logits:
        return ops.log_softmax(batch.scores, axis=-1)
    return ops.log(ops.clip(batch.scores, SMALLEST, 1.0))
