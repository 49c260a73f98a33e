"""Random changes of a sample, `(sample, rng) -> sample`; image and label map move together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kseg.data.dataset import Sample

Transform = Callable[[Sample, np.random.Generator], Sample]


def flip_left_right(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mirror left to right with probability 0.5."""
    return _flip(sample, axis=1) if rng.random() < 0.5 else sample


def flip_up_down(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mirror top to bottom with probability 0.5."""
    return _flip(sample, axis=0) if rng.random() < 0.5 else sample


def _flip(sample: Sample, axis: int) -> Sample:
    mask = None if sample.mask is None else np.flip(sample.mask, axis)
    return Sample(np.flip(sample.image, axis), mask, sample.name)


def quarter_turn(sample: Sample, rng: np.random.Generator) -> Sample:
    """Turn a square sample by 90 degrees with probability 0.5; others stay as they are."""
    if sample.image.shape[0] != sample.image.shape[1] or rng.random() >= 0.5:
        return sample
    mask = None if sample.mask is None else np.rot90(sample.mask)
    return Sample(np.rot90(sample.image), mask, sample.name)


AUGMENTATIONS: dict[str, Sequence[Transform]] = {
    "none": (),
    "hflip": (flip_left_right,),
    "flips": (flip_left_right, flip_up_down),
    "turns": (flip_left_right, flip_up_down, quarter_turn),
}


def augmentation(name: str) -> Sequence[Transform]:
    """Return the transforms that an augmentation's name stands for.

    Raises:
        ValueError: An unknown name.
    """
    if name not in AUGMENTATIONS:
        raise ValueError(f"augment must be one of {', '.join(AUGMENTATIONS)}; got {name!r}")
    return AUGMENTATIONS[name]
