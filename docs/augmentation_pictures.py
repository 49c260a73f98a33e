"""Draw what each preset and each operation makes of scenes of `parts` into docs/images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from kseg.data.augment import Recipe, Transform, augment, augmentation
from kseg.data.augment.read import OPERATIONS
from kseg.data.dataset import VOID, Sample
from kseg.data.io import write_image
from kseg.data.parts import draw_scene
from kseg.palette import overlay

IMAGES = Path(__file__).parent / "images"
PRESETS = ("light", "medium", "strong", "medical")
SIDE, GAP, TITLE = 128, 4, 18
COLUMNS = 5
# What shows an operation better than its defaults do.
SHOWN = {
    "rotate": {"degrees": 25.0},
    "noise": {"sd": 40.0},
    "blur": {"sigma": 3.0},
    "jpeg": {"low": 8, "high": 12},
    "elastic": {"sd": 25.0},
    "perspective": {"share": 0.15},
    "mixup": {"alpha": 20.0},
}


def main() -> None:
    """Write a picture per preset and one of all operations."""
    for preset in PRESETS:
        write_image(IMAGES / f"augment_{preset}.jpg", preset_picture(augmentation(preset)))
    write_image(IMAGES / "augment_operations.jpg", operations_picture())


def scene(index: int) -> Sample:
    """Return one of many scenes."""
    rng = np.random.default_rng([7, index])
    return Sample(*draw_scene(rng, (SIDE, SIDE), magnification=1.4), f"scene {index}")


def changed(index: int, transforms: Sequence[Transform], seed: int) -> Sample:
    """Return a scene after some transforms."""
    rng = np.random.default_rng([index, seed])
    return augment(scene(index), transforms, rng, lambda rng: scene(int(rng.integers(5, 40))))


def preset_picture(transforms: Sequence[Transform]) -> np.ndarray:
    """Return two scenes, each with five of its augmented copies."""
    rows = []
    for index in (1, 4):
        copies = [changed(index, transforms, seed) for seed in range(5)]
        rows.append(_row([tile(one) for one in (scene(index), *copies)]))
    return np.concatenate(rows)


def operations_picture() -> np.ndarray:
    """Return a scene after each operation by itself, under the operation's name."""
    tiles = [titled(tile(scene(1)), "no change")]
    for name, kind in OPERATIONS.items():
        transforms = Recipe((kind(p=1.0, **SHOWN.get(name, {})),)).transforms()
        tiles.append(titled(tile(changed(1, transforms, 3)), name))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    firsts = range(0, len(tiles), COLUMNS)
    return np.concatenate([_row(tiles[first : first + COLUMNS]) for first in firsts])


def _row(tiles: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(tiles, axis=1)


def tile(sample: Sample) -> np.ndarray:
    """Return a sample with the colours of its labels, void in white, and a white frame."""
    picture = overlay(sample.image, sample.labels, blend=0.35)
    void = sample.labels == VOID
    picture[void] = (0.4 * sample.image[void] + 0.6 * 255).astype(np.uint8)
    return np.pad(picture, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def titled(picture: np.ndarray, title: str) -> np.ndarray:
    """Return a picture under its title."""
    band = np.full((TITLE, *picture.shape[1:]), 255, np.uint8)
    cv2.putText(band, title, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([band, picture])


if __name__ == "__main__":
    main()
