"""A loss that keeps thin structures connected."""

import keras
from keras import ops

from kseg.losses.options import check_number, check_whole
from kseg.losses.reduce import safe_divide
from kseg.losses.region import OverlapLoss, lost_overlap
from kseg.losses.regions import read_overlap
from kseg.losses.registry import register


@register("cl_dice")
@keras.saving.register_keras_serializable("kseg")
class CentreLineDice(OverlapLoss):
    """Mean over the classes with truth pixels of `(1 - a) Dice loss + a (1 - clDice)`.

    Shit et al. (2021, arXiv:2003.07311): clDice is the harmonic mean of how much of the
    prediction's centre line lies in the truth and how much of the truth's centre line lies in
    the prediction, so a gap in a vessel costs as much as the vessel is long, not as it is
    wide. Centre lines are soft skeletons, what opening the image takes away while it is eroded
    `iterations` times; of a structure that is thicker nothing is left, and it costs its Dice
    loss alone. Void pixels are outside every class. For vessels, roads, cracks and
    membranes: leave the background out with `class_ids`. A perfect prediction gives 0, an
    all-wrong one 1 (with `smooth=0`). The authors add 1 to numerators and denominators.

    Args:
        alpha: Share `a` of the centre lines, from 0 to 1; the authors try up to 0.5.
        iterations: Erosions, at least half the width of the thickest structure in pixels.
        **options: See `OverlapLoss`.

    Raises:
        ValueError: If an option has a bad value.
    """

    def __init__(self, *, alpha=0.5, iterations=3, **options):
        super().__init__(**options)
        self.alpha = check_number("alpha", alpha, 0.0, 1.0)
        self.iterations = int(check_number("iterations", check_whole("iterations", iterations)))

    def class_values(self, regions):
        """Return both parts of every class."""
        dice = lost_overlap(read_overlap(regions), 0.5, 0.5, 0.5 * self.smooth)
        return (1.0 - self.alpha) * dice + self.alpha * self._lost_lines(regions)

    def _lost_lines(self, regions):
        truth = ops.cast(regions.shares, "float32")
        predicted = regions.chances
        precision = self._inside(regions, soft_skeleton(predicted, self.iterations), truth)
        recall = self._inside(regions, soft_skeleton(truth, self.iterations), predicted)
        return 1.0 - safe_divide(2.0 * precision * recall, precision + recall)

    def _inside(self, regions, lines, area):
        """Return the share of the lines that lies in the area, 1 where there are no lines."""
        length = regions.sum(lines)
        share = safe_divide(regions.sum(lines * area) + self.smooth, length + self.smooth)
        return ops.where(length > 0, share, 1.0)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "iterations": self.iterations}


def soft_skeleton(maps, iterations):
    """Return the centre lines of maps of 0..1, float32 `(N, H, W, C)`.

    Args:
        maps: float32 `(N, H, W, C)`, 0 to 1.
        iterations: Number of erosions.
    """
    lines = ops.relu(maps - _opened(maps))
    for _ in range(iterations):
        maps = _eroded(maps)
        new = ops.relu(maps - _opened(maps))
        lines = lines + ops.relu(new - lines * new)
    return lines


def _eroded(maps):
    """Return the minimum over each pixel and its four neighbours."""
    across = -ops.max_pool(-maps, (1, 3), 1, "same", "channels_last")
    along = -ops.max_pool(-maps, (3, 1), 1, "same", "channels_last")
    return ops.minimum(across, along)


def _opened(maps):
    """Return the maximum over 3x3 of the eroded maps."""
    return ops.max_pool(_eroded(maps), (3, 3), 1, "same", "channels_last")
