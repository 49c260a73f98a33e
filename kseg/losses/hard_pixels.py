"""Cross-entropy of the pixels that the model finds hard."""

import math

import keras
from keras import ops

from kseg.losses.options import check_number
from kseg.losses.pixel import CrossEntropy, log_probabilities
from kseg.losses.reduce import safe_divide
from kseg.losses.registry import register
from kseg.losses.truth import true_class


@register("ohem_ce")
@keras.saving.register_keras_serializable("kseg")
class HardPixelCrossEntropy(CrossEntropy):
    """Mean of `-log p` of the true class over the pixels with `p < threshold`.

    Online hard example mining (Shrivastava et al. 2016, arXiv:1604.03540) for pixels, as real-
    time networks are trained (BiSeNet, Yu et al. 2018, arXiv:1808.00897). If fewer than
    `min_kept` of the valid pixels are that hard, the hardest `min_kept` of them count; equally
    hard ones share the last places. Hard is judged by `-log p`, without class weights and label
    smoothing, over the batch, or within each image with `per_image`, where an image without
    hard pixels does not count. Easy pixels get no gradient. A perfect prediction gives 0.

    Args:
        threshold: Probability of the true class below which a pixel is hard, from 0 to 1.
        min_kept: Share of the valid pixels that count at least, from 0 to 1; 1 is
            `CrossEntropy`.
        **options: See `CrossEntropy`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, threshold=0.7, min_kept=0.0625, **options):
        super().__init__(**options)
        self.threshold = check_number("threshold", threshold, 0.0, 1.0, above=True)
        self.min_kept = check_number("min_kept", min_kept, 0.0, 1.0)

    def terms(self, batch):
        """Return the values and weights of the pixels, weight 0 for easy ones."""
        values, weights, axis = super().terms(batch)
        logs = true_class(batch, log_probabilities(batch, self.from_logits))
        shares = self._shares(ops.stop_gradient(-logs), batch.valid)
        return values, weights * shares, axis

    def _shares(self, values, valid):
        """Return how much each pixel counts, 0 to 1, float32 `(N, H, W)`."""
        rows = (ops.shape(values)[0], -1) if self.per_image else (1, -1)
        losses = ops.reshape(ops.where(valid, values, -1.0), rows)
        pixels = ops.sum(ops.cast(ops.reshape(valid, rows), "int32"), axis=-1, keepdims=True)
        # Less a little, or float32 makes 16 of 0.3 times 50.
        kept = ops.ceil(self.min_kept * ops.cast(pixels, "float32") - 1e-3)
        place = ops.shape(losses)[-1] - ops.maximum(ops.cast(kept, "int32"), 1)
        least = ops.take_along_axis(ops.sort(losses, axis=-1), place, axis=-1)
        above, tied = (ops.cast(where, "float32") for where in (losses > least, losses == least))
        # Pixels that tie for the last places share them: many are equally easy at 0.
        left = kept - _count(above)
        ranked = above + tied * ops.clip(safe_divide(left, _count(tied)), 0.0, 1.0)
        ranked = ops.where(kept > 0, ranked, 0.0)
        shares = ops.where(losses > -math.log(self.threshold), 1.0, ranked)
        return ops.where(valid, ops.reshape(shares, ops.shape(values)), 0.0)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold, "min_kept": self.min_kept}


def _count(flags):
    return ops.sum(flags, axis=-1, keepdims=True)
