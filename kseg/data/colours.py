"""Label maps saved in colours: from a table of colours to labels, and nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

Colour = tuple[int, int, int]

_LISTED = 4


def labels_of_colours(image: np.ndarray, colours: Sequence[Colour], path: Path) -> np.ndarray:
    """Return the label map `(H, W)` uint8 of an image of label colours, uint8 RGB `(H, W, 3)`.

    Args:
        image: The label map in colours.
        colours: Colour of label 0, 1, ...; at most 256.
        path: Its file, for the message.

    Raises:
        ValueError: A pixel has a colour that is not in the table, as smoothed edges and JPEG do.
    """
    codes, labels = _sorted_codes(tuple(colours))
    pixels = _codes(image)
    places = np.minimum(np.searchsorted(codes, pixels), len(codes) - 1)
    wrong = codes[places] != pixels
    if wrong.any():
        raise ValueError(_unknown_colours(image[wrong], path))
    return labels[places]


def _unknown_colours(pixels: np.ndarray, path: Path) -> str:
    values, counts = np.unique(pixels, axis=0, return_counts=True)
    common = values[np.argsort(-counts, kind="stable")[:_LISTED]].tolist()
    listed = ", ".join(str(tuple(colour)) for colour in common)
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return (
        f"{path}: {len(pixels)} pixels have colours that are not in the table of colours: "
        f"{listed}{more}; add them to the table, or save label maps without smoothing"
    )


def labels_of_palette(
    indices: np.ndarray, palette: np.ndarray, colours: Sequence[Colour]
) -> np.ndarray:
    """Return the labels of palette indices, by the palette's colours if the table has them all.

    A palette PNG made of a picture in label colours numbers them in any order: there the colours
    say which class it is. Where one of them is not in the table the indices are the labels.

    Args:
        indices: Palette indices `(H, W)`.
        palette: Colours `(N, 3)` uint8 of the indices.
        colours: Colour of label 0, 1, ...
    """
    codes, labels = _sorted_codes(tuple(colours))
    used = np.unique(indices)
    if used[-1] >= len(palette):
        return indices
    wanted = _codes(palette[used])
    places = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    if (codes[places] != wanted).any():
        return indices
    table = np.zeros(int(used[-1]) + 1, np.uint8)
    table[used] = labels[places]
    return table[indices]


def _codes(colours: np.ndarray) -> np.ndarray:
    """Return one number per colour: `(..., 3)` uint8 to `(...)` int32."""
    wide = colours.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


@lru_cache(maxsize=16)
def _sorted_codes(colours: tuple[Colour, ...]) -> tuple[np.ndarray, np.ndarray]:
    codes = _codes(np.array(colours, np.uint8))
    order = np.argsort(codes)
    return codes[order], order.astype(np.uint8)
