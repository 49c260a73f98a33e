"""Losses that are a mean over pixels."""

import keras
from keras import ops

from kseg.losses.base import PixelLoss
from kseg.losses.registry import register
from kseg.losses.truth import class_masks

# Probabilities are clipped here before the logarithm, as Keras does.
_SMALLEST = 1e-7


@register("ce")
@keras.saving.register_keras_serializable("kseg")
class CrossEntropy(PixelLoss):
    """Mean over valid pixels of `-log p` of the true class.

    With `class_weights` the sum of `-w log p` is divided by the sum of the weights `w` of the
    valid pixels. With a sigmoid channel this is binary cross-entropy. A perfect prediction
    gives 0; a uniform one gives `log C`. Probabilities (`from_logits=False`) are clipped to at
    least 1e-7, so a pixel costs at most 16.1 there.
    The options are those of `SegmentationLoss`.
    """

    def pixel_values(self, batch):
        """Return `-log p` of the true class, `(N, H, W)`."""
        return -true_log_probability(batch, self.from_logits)


def true_log_probability(batch, from_logits):
    """Return `log p` of each pixel's true class, `(N, H, W)`; 0 at void pixels."""
    if from_logits:
        logs = ops.log_softmax(batch.scores, axis=-1)
    else:
        logs = ops.log(ops.clip(batch.scores, _SMALLEST, 1.0))
    # A masked sum, not a gather: no scatter in the gradient and the same on every backend.
    return ops.sum(ops.where(class_masks(batch, logs.shape[-1]), logs, 0.0), axis=-1)
