"""Losses for segmentation: `get_loss(name, **options)`, `list_losses()`.

Losses add up and scale: `get_loss("ce") + 0.5 * get_loss("dice")`. Import this package before
`keras.models.load_model` loads a model that was compiled with one of them.
"""

from kseg.losses.algebra import SummableLoss, WeightedSum
from kseg.losses.base import PixelLoss, RegionLoss, SegmentationLoss
from kseg.losses.compound import ce_dice
from kseg.losses.pixel import CrossEntropy
from kseg.losses.region import Dice
from kseg.losses.registry import get_loss, list_losses, register

__all__ = [
    "CrossEntropy",
    "Dice",
    "PixelLoss",
    "RegionLoss",
    "SegmentationLoss",
    "SummableLoss",
    "WeightedSum",
    "ce_dice",
    "get_loss",
    "list_losses",
    "register",
]
