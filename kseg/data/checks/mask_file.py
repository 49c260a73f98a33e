"""What a label file holds, looked at even where training would refuse it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kseg.data.checks.finding import listed
from kseg.data.checks.values import ValueStats, value_stats
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.decode import first_bytes
from kseg.data.io import IMAGE_SUFFIXES
from kseg.data.masks import LOSSY_SUFFIXES, is_lossy

_GREY_MODES = ("1", "F", "I", "L", "P")
_FEW_COLOURS = 4
# JPEG moves the channels of a grey picture apart.
_CHROMA_NOISE = 24


@dataclass(frozen=True)
class MaskFacts:
    """What a label file holds.

    Attributes:
        file: The label file.
        size: Height and width, or None where there are no values.
        stats: Its values, or None where it has none that could be labels.
        fault: Kind of fault for which training refuses the file, or "".
        value: The sentence of that fault.
        grey_as_colour: It is a colour file with equal channels.
    """

    file: Path
    size: tuple[int, int] | None
    stats: ValueStats | None
    fault: str = ""
    value: str = ""
    grey_as_colour: bool = False


def inspect_mask(dataset: Dataset, files: SampleFiles) -> MaskFacts:
    """Return the facts of a sample's label file; it must have one."""
    file = label_file(files)
    labels, fault, value = labels_or_fault(dataset, files)
    return MaskFacts(
        file,
        size=None if labels is None else (labels.shape[0], labels.shape[1]),
        stats=None if labels is None else value_stats(labels),
        fault=fault,
        value=value,
        grey_as_colour=not fault and file == files.mask and _is_grey_as_colour(file),
    )


def labels_or_fault(dataset: Dataset, files: SampleFiles) -> tuple[np.ndarray | None, str, str]:
    """Return the values `(H, W)` of a label file, the kind of its fault and its sentence.

    The values are those after the data set's own decoding; where that refuses the file, its grey
    values if it is grey, else None.
    """
    file = label_file(files)
    try:
        return dataset.load_mask(files), "", ""
    except ValueError as error:
        message = str(error).removeprefix(f"{file}: ")
        return _refused(file, message) if file == files.mask else (None, "unreadable", message)


def label_file(files: SampleFiles) -> Path:
    """Return the file to name for a label map: the image where labels come from an annotation.

    One annotation file may hold the labels of many images.
    """
    mask = files.mask
    return mask if mask is not None and mask.suffix.lower() in IMAGE_SUFFIXES else files.image


def _refused(file: Path, message: str) -> tuple[np.ndarray | None, str, str]:
    picture = raw_picture(file)
    if picture is None:
        return None, "unreadable", message
    lossy = file.suffix.lower() in LOSSY_SUFFIXES or is_lossy(file, first_bytes(file))
    grey = grey_values(picture, tolerance=_CHROMA_NOISE if lossy else 0)
    if lossy:
        return grey, "jpeg_mask", _lossy(grey)
    if grey is None:
        return None, "colour_mask", f"colours such as {_colours(picture)}"
    if grey.dtype.kind == "f":
        return grey, "float_mask", f"values such as {listed(np.unique(grey), 4)}"
    return grey, "refused_mask", message


def _lossy(grey: np.ndarray | None) -> str:
    if grey is None:
        return "a lossy file of colours"
    return f"a lossy file with {len(np.unique(grey))} different values"


def _colours(pixels: np.ndarray) -> str:
    colours, counts = np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0, return_counts=True)
    common = colours[np.argsort(-counts, kind="stable")]
    return listed((tuple(colour) for colour in common.tolist()), _FEW_COLOURS)


def raw_picture(file: Path) -> np.ndarray | None:
    """Return the pixels that a file holds, `(H, W)` or `(H, W, C)`.

    Palettes stay indices. None is returned for a file that is damaged or no picture.
    """
    try:
        with Image.open(file) as image:
            image.load()
            if image.mode not in (*_GREY_MODES, "LA", "RGB", "RGBA") and image.mode[:2] != "I;":
                return np.asarray(image.convert("RGB"))
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return None


def grey_values(pixels: np.ndarray, tolerance: int = 0) -> np.ndarray | None:
    """Return the values `(H, W)` of a grey picture, whatever its channels; None for colours.

    Args:
        pixels: `(H, W)` or `(H, W, C)`; a second or fourth channel is transparency.
        tolerance: How far channels may lie apart; the middle one is taken.
    """
    if pixels.ndim == 2:
        return pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    colours = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    spread = colours.max(axis=-1) - colours.min(axis=-1)
    if spread.max(initial=0) > tolerance:
        return None
    return np.sort(colours, axis=-1)[..., colours.shape[-1] // 2]


def _is_grey_as_colour(file: Path) -> bool:
    """Tell whether a file that was read has colour channels that are all equal."""
    try:
        with Image.open(file) as image:
            if image.mode in _GREY_MODES or image.mode.startswith("I;"):
                return False
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False  # no picture: an annotation, or an array
    picture = raw_picture(file)
    return picture is not None and grey_values(picture) is not None
