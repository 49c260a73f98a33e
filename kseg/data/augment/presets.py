"""Augmentations by name, and from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kseg.data.augment.colour import Brightness, Contrast, Gamma, Hsv
from kseg.data.augment.elastic import Elastic
from kseg.data.augment.geometry import HFlip, Perspective, QuarterTurn, Rotate, Shear, VFlip, Zoom
from kseg.data.augment.mixing import CutMix, Mosaic
from kseg.data.augment.operation import Transform
from kseg.data.augment.read import read_recipe
from kseg.data.augment.recipe import Recipe
from kseg.data.augment.texture import Blur, CutOut, Jpeg, Noise
from kseg.data.dataset import VOID

PRESETS: dict[str, Recipe] = {
    "none": Recipe(),
    "hflip": Recipe((HFlip(),)),
    "flips": Recipe((HFlip(), VFlip())),
    "turns": Recipe((HFlip(), VFlip(), QuarterTurn())),
    "light": Recipe(
        (
            HFlip(),
            Zoom(p=0.5, low=0.8, high=1.25, aspect=0.1),
            Hsv(p=0.5, hue=0.03, saturation=0.3, value=0.2),
        )
    ),
    # About what trainings of DeepLab and U-Net on PASCAL VOC use.
    "medium": Recipe(
        (
            HFlip(),
            Zoom(p=0.8, low=0.5, high=2.0, aspect=0.3),
            Rotate(p=0.25, degrees=10.0),
            Hsv(p=0.8, hue=0.1, saturation=0.7, value=0.3),
            Contrast(p=0.25, amount=0.3),
            Gamma(p=0.25, most=1.4),
            Blur(p=0.25, sigma=1.2),
        )
    ),
    "strong": Recipe(
        (
            Mosaic(p=0.25),
            HFlip(),
            Zoom(p=0.9, low=0.35, high=2.5, aspect=0.3),
            Rotate(p=0.5, degrees=20.0),
            Shear(p=0.25, degrees=10.0),
            Perspective(p=0.25, share=0.08),
            CutMix(p=0.25),
            Hsv(p=0.8, hue=0.1, saturation=0.7, value=0.3),
            Brightness(p=0.3, amount=0.2),
            Contrast(p=0.3, amount=0.4),
            Gamma(p=0.3, most=1.8),
            Blur(p=0.25, sigma=1.5),
            Noise(p=0.25, sd=12.0),
            Jpeg(p=0.25, low=40, high=95),
            CutOut(p=0.25, size=0.3, count=2),
        )
    ),
    # No direction is up, colours mean little, and tissue bends.
    "medical": Recipe(
        (
            HFlip(),
            VFlip(),
            QuarterTurn(),
            Zoom(p=0.5, low=0.8, high=1.25, aspect=0.1),
            Rotate(p=0.5, degrees=20.0),
            Elastic(p=0.7, points=3, sd=10.0),
            Brightness(p=0.3, amount=0.1),
            Contrast(p=0.5, amount=0.3),
            Gamma(p=0.5, most=1.5),
            Blur(p=0.2, sigma=1.0),
            Noise(p=0.3, sd=8.0),
        ),
        border="reflect",
    ),
}
_SUFFIXES = (".yaml", ".yml")


def augmentation(name: str, *, void: int = VOID) -> Sequence[Transform]:
    """Return the transforms that an augmentation's name or file stands for.

    Args:
        name: One of `PRESETS`, or the path of a YAML file, see `read_recipe`.
        void: Label of pixels without truth: the data set's `void`.

    Raises:
        ValueError: An unknown name, or a file that is no recipe.
    """
    return find_recipe(name).transforms(void)


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name, or in that file.

    Raises:
        ValueError: An unknown name, or a file that is no recipe.
    """
    if name in PRESETS:
        return PRESETS[name]
    if Path(name).suffix.lower() in _SUFFIXES:
        return read_recipe(Path(name))
    raise ValueError(
        f"augment must be one of {', '.join(PRESETS)} or the path of a .yaml file; got {name!r}"
    )
