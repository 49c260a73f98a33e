"""Label maps saved in colours: from a table of colours to labels, and nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

Colour = tuple[int, int, int]

_LISTED = 4
_ADVICE = "add them to the table, or save label maps without smoothing"
_PALETTE_ADVICE = (
    "add them to the table, or save the indices of the palette as grey values if they are labels"
)


def labels_of_colours(image: np.ndarray, colours: Sequence[Colour], path: Path) -> np.ndarray:
    """Return the label map `(H, W)` uint8 of an image of label colours, uint8 RGB `(H, W, 3)`.

    Args:
        image: The label map in colours.
        colours: Colour of label 0, 1, ...; at most 256.
        path: Its file, for the message.

    Raises:
        ValueError: A pixel has a colour that is not in the table, as smoothed edges and JPEG do.
    """
    known, labels = _look_up(image, colours)
    if not known.all():
        raise ValueError(_unknown_colours(image[~known], path))
    return labels


def _unknown_colours(pixels: np.ndarray, path: Path, advice: str = _ADVICE) -> str:
    values, counts = np.unique(pixels, axis=0, return_counts=True)
    common = values[np.argsort(-counts, kind="stable")[:_LISTED]].tolist()
    listed = ", ".join(str(tuple(colour)) for colour in common)
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return (
        f"{path}: {len(pixels)} pixels have colours that are not in the table of colours: "
        f"{listed}{more}; {advice}"
    )


def labels_of_palette(
    indices: np.ndarray, palette: np.ndarray, colours: Sequence[Colour], path: Path
) -> np.ndarray:
    """Return the labels of palette indices: by the palette's colours, or the indices themselves.

    A palette PNG made of a picture in label colours numbers them in any order: there the colours
    say which class it is. Where the table and the palette have nothing but a first black (or other
    colour of label 0) in common, the indices are the labels. So they are where each common colour
    has its label for index and the other indices are beyond the table, such as 255 for void.

    Args:
        indices: Palette indices `(H, W)`.
        palette: Colours `(N, 3)` uint8 of the indices.
        colours: Colour of label 0, 1, ...
        path: Its file, for the message.

    Raises:
        ValueError: Some colours that occur are in the table and others are not, and the indices
            may be no labels.
    """
    used = np.unique(indices)
    if used[-1] >= len(palette):
        return indices
    known, labels = _look_up(palette[used], colours)
    if not known.all():
        if _are_labels(used, known, labels, len(colours)):
            return indices
        wrong = palette[indices[np.isin(indices, used[~known])]]
        raise ValueError(_unknown_colours(wrong, path, _PALETTE_ADVICE))
    table = np.zeros(int(used[-1]) + 1, np.uint8)
    table[used] = labels
    return table[indices]


def _are_labels(used: np.ndarray, known: np.ndarray, labels: np.ndarray, rows: int) -> bool:
    """Tell whether palette indices of which some colours are in no table are labels themselves."""
    same = bool((labels[known] == used[known]).all())
    return same and (not used[known].any() or bool((used[~known] >= rows).all()))


def _look_up(pixels: np.ndarray, colours: Sequence[Colour]) -> tuple[np.ndarray, np.ndarray]:
    """Return of each colour `(..., 3)` whether it is in the table, and its label there."""
    codes, labels = _sorted_codes(tuple(colours))
    wanted = _codes(pixels)
    places = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return codes[places] == wanted, labels[places]


def _codes(colours: np.ndarray) -> np.ndarray:
    """Return one number per colour: `(..., 3)` uint8 to `(...)` int32."""
    wide = colours.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


@lru_cache(maxsize=16)
def _sorted_codes(colours: tuple[Colour, ...]) -> tuple[np.ndarray, np.ndarray]:
    codes = _codes(np.array(colours, np.uint8))
    order = np.argsort(codes)
    return codes[order], order.astype(np.uint8)
