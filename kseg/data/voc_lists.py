"""Writing VOC's lists of training, validation and test images, and looking at its label maps."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from kseg.data.colours import Colour
from kseg.data.io import open_image, read_mask
from kseg.data.pairing import by_key
from kseg.data.voc import IMAGES, LISTS, MASKS
from kseg.files import replacing

if TYPE_CHECKING:
    from rich.table import Table

_SHOW_PROGRESS_FROM = 200
_VALUES = 65536
_CHANNELS = (
    "the label map has several channels, all equal; save it with one (8-bit grey or palette)"
)


@dataclass(frozen=True)
class MaskSurvey:
    """What the label maps of a folder hold.

    Attributes:
        pixels: Pixels of each value that occurs.
        images: Label maps that show the value.
        warnings: A sentence for each thing that looks wrong.
    """

    pixels: Mapping[int, int]
    images: Mapping[int, int]
    warnings: Sequence[str]


def split_ids(ids: Sequence[str], trainval: float, train: float, seed: int) -> dict[str, list[str]]:
    """Draw the parts "trainval", "train", "val" and "test", each in the order of `ids`.

    Args:
        ids: All names.
        trainval: Share of all that is for training and validation, 0..1; the rest is for testing.
        train: Share of those that is for training, 0..1.
        seed: Seed of the drawing.

    Raises:
        ValueError: Nothing would be left to train with.
    """
    rng = random.Random(seed)
    for_both = sorted(rng.sample(range(len(ids)), _share(len(ids), trainval)))
    for_training = set(rng.sample(for_both, _share(len(for_both), train)))
    if not for_training:
        raise ValueError(
            f"of {len(ids)} label maps none would be for training; raise --trainval_percent or "
            "--train_percent"
        )
    parts = {
        "trainval": for_both,
        "train": [i for i in for_both if i in for_training],
        "val": [i for i in for_both if i not in for_training],
        "test": sorted(set(range(len(ids))) - set(for_both)),
    }
    return {part: [ids[index] for index in indices] for part, indices in parts.items()}


def _share(count: int, share: float) -> int:
    # 0.29 * 100 is a little less than 29.
    return int(count * share + 1e-9)


def labelled_files(folder: Path) -> dict[str, Path]:
    """Return the label maps in a folder of VOC's layout by their names, sorted.

    Images without label map are no error, since VOC has many.

    Raises:
        ValueError: A folder is missing, or a label map has no image.
    """
    images, masks = by_key(folder / IMAGES), by_key(folder / MASKS)
    alone = [path for name, path in masks.items() if name not in images]
    if alone:
        raise ValueError(f"{alone[0]}: there is no image {alone[0].stem}.* in {folder / IMAGES}")
    return masks


def write_lists(folder: Path, parts: Mapping[str, Sequence[str]], *, overwrite: bool) -> Path:
    """Write `ImageSets/Segmentation/PART.txt` with a name per line and return that folder.

    Raises:
        ValueError: A list with other names is there already, and `overwrite` is False.
    """
    target = folder / LISTS
    texts = {target / f"{part}.txt": "".join(f"{one}\n" for one in parts[part]) for part in parts}
    for path, text in texts.items():
        if path.exists() and not overwrite and path.read_text("utf-8") != text:
            raise ValueError(f"{path}: this list is there already; pass --overwrite to replace it")
    for path, text in texts.items():
        with replacing(path) as draft:
            draft.write_text(text, "utf-8")
    return target


def survey_masks(files: Sequence[Path], colours: Sequence[Colour] | None = None) -> MaskSurvey:
    """Count the values of label maps and say what looks wrong; unreadable ones are left out.

    Args:
        files: Label maps.
        colours: Colour of each label where they are saved in colours.
    """
    pixels, images = np.zeros((2, _VALUES), np.int64)
    faults: dict[str, list[Path]] = {}
    quick = len(files) < _SHOW_PROGRESS_FROM
    for path in tqdm(files, "looking at label maps", unit="file", disable=quick):
        try:
            counts = _count(read_mask(path, colours=colours))
        except ValueError as error:
            faults.setdefault(str(error).removeprefix(f"{path}: "), []).append(path)
            continue
        pixels += counts
        images += counts > 0
        if colours is None and _has_channels(path):
            faults.setdefault(_CHANNELS, []).append(path)
    values = np.flatnonzero(images).tolist()
    return MaskSurvey(
        {value: int(pixels[value]) for value in values},
        {value: int(images[value]) for value in values},
        [*_about_values(values), *(_sentence(fault, paths) for fault, paths in faults.items())],
    )


def _count(labels: np.ndarray) -> np.ndarray:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= _VALUES:
        raise ValueError(f"the values {low}..{high} are no labels")
    return np.bincount(labels.ravel(), minlength=_VALUES)


def _has_channels(path: Path) -> bool:
    """Tell whether a readable label map is a colour image of equal channels."""
    if path.suffix.lower() == ".npy":
        return False
    with open_image(path) as image:
        return len(image.getbands()) > 1


def _sentence(fault: str, paths: Sequence[Path]) -> str:
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{paths[0]}{more}: {fault}"


def _about_values(values: Sequence[int]) -> list[str]:
    if values == [0, 255]:
        return [
            "all values are 0 and 255: 255 usually marks pixels that do not count, so nothing "
            "would be learnt; if it is the object, write `values: {0: 0, 255: 1}` to dataset.yaml"
        ]
    if values == [0]:
        return ["all label maps are 0, which is background alone: there is nothing to learn"]
    return []


def survey_table(survey: MaskSurvey, class_names: Sequence[str] = ()) -> Table:
    """Return the histogram of a survey as a table for the terminal."""
    from rich.table import Table

    table = Table("value", "class", title="values in the label maps")
    for heading in ("pixels", "share", "images"):
        table.add_column(heading, justify="right")
    total = sum(survey.pixels.values())
    for value, pixels in survey.pixels.items():
        name = class_names[value] if value < len(class_names) else ""
        share = f"{pixels / total:.2%}"
        table.add_row(str(value), name, f"{pixels:,}", share, str(survey.images[value]))
    return table
