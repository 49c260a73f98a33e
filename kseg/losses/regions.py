"""The regions of truth and prediction that losses over classes compare."""

from typing import Any, NamedTuple

from keras import ops

from kseg.losses.reduce import sum_stepwise
from kseg.losses.truth import choose, class_masks, class_truth


class Regions(NamedTuple):
    """Where each class is and where it is predicted. `C` is 2 for a sigmoid channel.

    Attributes:
        masks: Truth, bool `(N, H, W, C)`, False at void pixels; where a pixel belongs most if
            the truth is soft.
        shares: Truth as losses of overlap read it: `masks`, or float32 shares if it is soft.
        chances: Predicted probabilities, float32 `(N, H, W, C)`, 0 at void pixels.
        valid: bool `(N, H, W, 1)`, False at void pixels.
        axes: The axes of pixels, those of images among them unless `per_image`.
        truth: Number of truth pixels of each class, float32 `(C,)` or `(N, C)`.
    """

    masks: Any
    shares: Any
    chances: Any
    valid: Any
    axes: tuple
    truth: Any

    def sum(self, values):
        """Return the sum of `(N, H, W, C)` over the pixels."""
        return sum_stepwise(values, self.axes)


class Overlap(NamedTuple):
    """Soft numbers of pixels per class, each float32 `(C,)` or `(N, C)`.

    Attributes:
        hits: Probability on the truth pixels (TP).
        extra: Probability on the other valid pixels (FP).
        missed: Probability of the other classes on the truth pixels (FN).
        rest: Probability of the other classes on the other valid pixels (TN).
    """

    hits: Any
    extra: Any
    missed: Any
    rest: Any


def read_regions(batch, axes, from_logits):
    """Return the `Regions` of a `Batch`."""
    valid = batch.valid[..., None]
    shares = class_truth(batch)
    chances = ops.softmax(batch.scores, axis=-1) if from_logits else batch.scores
    chances = ops.where(valid, chances, 0.0)
    truth = sum_stepwise(ops.cast(shares, "float32"), axes)
    return Regions(class_masks(batch), shares, chances, valid, axes, truth)


def read_overlap(regions):
    """Return the `Overlap` of `Regions`.

    `extra` and `missed` are sums of their own, not differences, so that a perfect prediction
    has none of them to the last digit. An absent class gets one hit, so that ratios are finite.
    """
    hits = regions.sum(choose(regions.shares, regions.chances, 0.0))
    extra = regions.sum(choose(regions.shares, 0.0, regions.chances))
    missed = regions.sum(choose(regions.shares, 1.0 - regions.chances, 0.0))
    others = regions.sum(ops.cast(regions.valid, "float32")) - regions.truth
    hits = ops.where(regions.truth > 0, hits, 1.0)
    return Overlap(hits, extra, missed, ops.maximum(others - extra, 0.0))
