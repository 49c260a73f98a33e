"""Cross-entropy of the pixels that the model finds hard."""

import math

import keras
from keras import ops

from kseg.losses.options import check_number
from kseg.losses.pixel import CrossEntropy
from kseg.losses.registry import register


@register("ohem_ce")
@keras.saving.register_keras_serializable("kseg")
class HardPixelCrossEntropy(CrossEntropy):
    """Mean of `-log p` of the true class over the pixels with `p < threshold`.

    Online hard example mining (Shrivastava et al. 2016, arXiv:1604.03540) for pixels, as real-
    time networks are trained (BiSeNet, Yu et al. 2018, arXiv:1808.00897). If fewer than
    `min_kept` of the valid pixels are that hard, the hardest `min_kept` of them count. Hard is
    judged without `class_weights`, over the batch, or within each image with `per_image`. Easy
    pixels get no gradient. A perfect prediction gives 0.

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
        hard = self._hard(ops.stop_gradient(values), batch.valid)
        return values, ops.where(hard, weights, 0.0), axis

    def _hard(self, values, valid):
        """Return where the pixels are that count, bool `(N, H, W)`."""
        rows = (ops.shape(values)[0], -1) if self.per_image else (1, -1)
        ranked = ops.sort(ops.reshape(ops.where(valid, values, -1.0), rows), axis=-1)
        pixels = ops.sum(ops.cast(ops.reshape(valid, rows), "int32"), axis=-1, keepdims=True)
        kept = ops.cast(ops.ceil(self.min_kept * ops.cast(pixels, "float32")), "int32")
        # The smallest loss among the hardest `kept`; the threshold where none is to be kept.
        place = ops.shape(ranked)[-1] - ops.maximum(kept, 1)
        least = ops.take_along_axis(ranked, place, axis=-1)
        limit = ops.convert_to_tensor(-math.log(self.threshold), "float32")
        bar = ops.where(kept > 0, ops.minimum(least, limit), limit)
        if not self.per_image:
            bar = bar[0, 0]
        else:
            bar = ops.reshape(bar, (-1, *[1] * (len(values.shape) - 1)))
        return ops.logical_and(valid, values >= bar)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold, "min_kept": self.min_kept}
