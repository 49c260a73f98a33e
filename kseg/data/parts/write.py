"""Writes the data set to disk, or draws its splits in memory."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from kseg.data.io import write_image
from kseg.data.parts.render import check_look, check_size, draw_scene

Scenes = Iterator[tuple[np.ndarray, np.ndarray]]

SPLITS = ("train", "val", "test")
# RGB of the ground and the five kinds; also the look of label files in a viewer.
PART_PALETTE = (
    (0, 0, 0),
    (230, 60, 60),
    (60, 180, 75),
    (60, 110, 230),
    (245, 190, 40),
    (170, 70, 200),
)


def iter_parts(
    split: str,
    count: int,
    *,
    size: tuple[int, int] = (224, 224),
    seed: int = 0,
    clutter: float = 1.0,
    magnification: float = 1.0,
) -> Scenes:
    """Draws the first scenes of a split, one after another.

    Scene ``i`` depends on the seed, the split, ``i`` and the size only.

    Args:
        split: "train", "val" or "test".
        count: Number of scenes, 0 or more.
        size: Height and width in pixels, each at least 32.
        seed: Seed of the data set, 0 or more.
        clutter: Strength of texture and distractors, 0 to 1.
        magnification: How much larger than usual the parts are, 1 or more.

    Yields:
        Image, uint8 RGB (height, width, 3), and label, uint8 (height, width) with 0 to 5.

    Raises:
        ValueError: If an argument is outside its range.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    for name, value in (("number of scenes", count), ("seed", seed)):
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"The {name} is {value!r}: give a whole number, 0 or more.")
    shape = check_size(size)
    check_look(clutter, magnification)
    look = {"clutter": clutter, "magnification": magnification}
    return (
        draw_scene(np.random.default_rng([seed, SPLITS.index(split), index]), shape, **look)
        for index in range(count)
    )


def write_parts(
    folder: str | Path,
    *,
    size: tuple[int, int] = (224, 224),
    multiclass: bool = False,
    train: int = 160,
    val: int = 20,
    test: int = 40,
    seed: int = 0,
    clutter: float = 1.0,
    magnification: float = 1.0,
) -> Path:
    """Writes the data set ``parts`` as images and labels in the folders of its three splits.

    Files are named by split and index: ``train_image/train_000.jpg`` (quality 95) belongs to
    ``train_label/train_000.png`` (palette mode). The data set appears complete or not at all.

    Args:
        folder: Where to write; it must not exist or be empty.
        size: Height and width in pixels, each at least 32.
        multiclass: Whether labels tell the kinds apart (0 to 5) or only parts from ground (0, 1).
        train: Number of scenes to train on, 0 or more.
        val: Number of scenes to validate on, 0 or more.
        test: Number of scenes to test on, 0 or more.
        seed: Seed of the data set, 0 or more.
        clutter: Strength of texture and distractors, 0 to 1.
        magnification: How much larger than usual the parts are, 1 or more.

    Returns:
        The folder.

    Raises:
        ValueError: If the folder holds something or is a file, or an argument is out of range.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not an empty folder: give another one.")
    counts = dict(zip(SPLITS, (train, val, test), strict=True))
    draw = partial(iter_parts, size=size, seed=seed, clutter=clutter, magnification=magnification)
    scenes = {split: draw(split, counts[split]) for split in SPLITS}
    _write_whole(folder, scenes, multiclass)
    return folder


def _write_whole(folder: Path, scenes: dict[str, Scenes], multiclass: bool) -> None:
    """Writes beside the target and renames, which is atomic within one file system."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        draft = Path(temporary) / "parts"
        for split, pairs in scenes.items():
            _write_split(draft, split, pairs, multiclass)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)


def _write_split(folder: Path, split: str, scenes: Scenes, multiclass: bool) -> None:
    images, labels = folder / f"{split}_image", folder / f"{split}_label"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for index, (image, label) in enumerate(scenes):
        stem = f"{split}_{index:03d}"
        write_image(images / f"{stem}.jpg", image)
        ids = label if multiclass else (label > 0).astype(np.uint8)
        picture = Image.fromarray(ids).convert("P")
        picture.putpalette([value for colour in PART_PALETTE for value in colour])
        picture.save(labels / f"{stem}.png")
