"""Losses that read every channel as a yes or no of its own."""

import keras
from keras import ops

from kseg.losses.base import PixelLoss
from kseg.losses.options import check_number
from kseg.losses.pixel import SMALLEST
from kseg.losses.registry import register
from kseg.losses.truth import choose, class_truth


@register("bce")
@keras.saving.register_keras_serializable("kseg")
class BinaryCrossEntropy(PixelLoss):
    """Mean over valid pixels and channels of `-log p` (own class) or `-log(1 - p)` (others).

    `p` is the sigmoid of each logit on its own: one channel is the usual binary
    cross-entropy, several are one classifier against the rest each. The label of a pixel picks
    its entry of `class_weights`, as in `CrossEntropy`. A perfect prediction gives 0, logits of
    0 give `log 2`. Probabilities (`from_logits=False`) are clipped to
    at least 1e-7. The options are those of `PixelLoss`.
    """

    def pixel_values(self, batch):
        """Return the mean over the channels, `(N, H, W)`."""
        truth, yes, no = one_vs_rest(batch, self.from_logits)
        return -ops.mean(choose(truth, yes, no), axis=-1)


@register("b_focal")
@keras.saving.register_keras_serializable("kseg")
class BinaryFocal(PixelLoss):
    """Mean over valid pixels and channels of `a (1 - p) ** gamma * -log p`.

    Lin et al. (2017, arXiv:1708.02002): `p` is the sigmoid probability of the right answer of
    each channel, `a` is `alpha` where the answer is yes and `1 - alpha` where it is no. They
    add up over the image and divide by the number of matched anchors, which pixels do not have.
    `gamma=0, alpha=0.5` is half of `BinaryCrossEntropy`. A perfect prediction gives 0.

    Args:
        gamma: Exponent of at least 0; the larger, the less do easy pixels count.
        alpha: Weight of yes, from 0 to 1; None for no weights.
        **options: See `PixelLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, gamma=2.0, alpha=0.25, **options):
        super().__init__(**options)
        self.gamma = check_number("gamma", gamma)
        self.alpha = None if alpha is None else check_number("alpha", alpha, 0.0, 1.0)

    def pixel_values(self, batch):
        """Return the mean over the channels, `(N, H, W)`."""
        truth, yes, no = one_vs_rest(batch, self.from_logits)
        weights = (1.0, 1.0) if self.alpha is None else (self.alpha, 1.0 - self.alpha)
        inside = -weights[0] * yes * ops.exp(self.gamma * no)
        outside = -weights[1] * no * ops.exp(self.gamma * yes)
        return ops.mean(choose(truth, inside, outside), axis=-1)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma, "alpha": self.alpha}


def one_vs_rest(batch, from_logits):
    """Return the yes or no of each channel and how likely both answers are.

    Returns:
        `(truth, yes, no)`, each `(N, H, W, K)` with `K = 1` for a sigmoid channel: masks or
        shares of the truth, and the logarithms of the probabilities of either answer.
    """
    first = 1 if batch.binary else 0
    scores, truth = batch.scores[..., first:], class_truth(batch)[..., first:]
    if from_logits:
        return truth, ops.log_sigmoid(scores), ops.log_sigmoid(-scores)
    yes, no = (ops.log(ops.clip(chance, SMALLEST, 1.0)) for chance in (scores, 1.0 - scores))
    return truth, yes, no
