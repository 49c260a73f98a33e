"""Losses for segmentation: `get_loss(name, **options)`, `list_losses()`.

Losses add up and scale: `get_loss("ce") + 0.5 * get_loss("dice")`. Import this package before
`keras.models.load_model` loads a model that was compiled with one of them.
"""

from kseg.losses import compound  # noqa: F401
from kseg.losses.algebra import SummableLoss, WeightedSum
from kseg.losses.base import ClassLoss, PixelLoss, SegmentationLoss
from kseg.losses.binary import BinaryCrossEntropy, BinaryFocal
from kseg.losses.boundary import Boundary, Hausdorff
from kseg.losses.centre_line import CentreLineDice
from kseg.losses.correlation import MatthewsCorrelation
from kseg.losses.edge_weighted import EdgeWeightedCrossEntropy
from kseg.losses.hard_pixels import HardPixelCrossEntropy
from kseg.losses.lovasz import Lovasz
from kseg.losses.pixel import CategoricalFocal, CrossEntropy, WeightedCrossEntropy
from kseg.losses.region import (
    Dice,
    FocalTversky,
    GeneralizedDice,
    Jaccard,
    OverlapLoss,
    Tversky,
)
from kseg.losses.registry import get_loss, list_losses, register
from kseg.losses.unified_focal import ModifiedFocal, ModifiedFocalTversky

__all__ = [
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Boundary",
    "CategoricalFocal",
    "CentreLineDice",
    "ClassLoss",
    "CrossEntropy",
    "Dice",
    "EdgeWeightedCrossEntropy",
    "FocalTversky",
    "GeneralizedDice",
    "HardPixelCrossEntropy",
    "Hausdorff",
    "Jaccard",
    "Lovasz",
    "MatthewsCorrelation",
    "ModifiedFocal",
    "ModifiedFocalTversky",
    "OverlapLoss",
    "PixelLoss",
    "SegmentationLoss",
    "SummableLoss",
    "Tversky",
    "WeightedCrossEntropy",
    "WeightedSum",
    "get_loss",
    "list_losses",
    "register",
]
