"""Random changes of training samples; image and label map always move together."""

from kseg.data.augment.geometry import HFlip, QuarterTurn, VFlip
from kseg.data.augment.mixup import MixedSample, soft_labels
from kseg.data.augment.operation import Draw, Mix, Transform
from kseg.data.augment.presets import PRESETS, augmentation, find_recipe
from kseg.data.augment.recipe import Recipe, augment, needs_soft_labels
from kseg.data.augment.warp import Warp

flip_left_right = Warp((HFlip(),))
flip_up_down = Warp((VFlip(),))
quarter_turn = Warp((QuarterTurn(),))

__all__ = [
    "PRESETS",
    "Draw",
    "Mix",
    "MixedSample",
    "Recipe",
    "Transform",
    "augment",
    "augmentation",
    "find_recipe",
    "flip_left_right",
    "flip_up_down",
    "needs_soft_labels",
    "quarter_turn",
    "soft_labels",
]
