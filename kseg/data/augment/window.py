"""Windows of samples: training on crops at the scale of the whole image.

The share of windows with foreground follows nnU-Net (Isensee and others, 2021,
doi 10.1038/s41592-020-01008-z), which centres a third of its patches on pixels of a class; here
such a pixel lies anywhere in the middle half, so that place tells nothing of the class.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from kseg.data.augment.operation import Rng, Size
from kseg.data.augment.placing import Placing
from kseg.data.dataset import VOID, Sample
from kseg.data.windows import cut

# Bilinear sampling looks at the next pixel too, and interpolated displacements are off by less.
_MARGIN = 2


def draw_corner(
    sample: Sample, window: Size, rng: Rng, foreground: float = 0.0, void: int = VOID
) -> tuple[int, int]:
    """Draw row and column where a window begins that lies whole inside a sample.

    Args:
        sample: The sample.
        window: Height and width.
        rng: Source of randomness.
        foreground: Share of the windows with a pixel of a class other than 0 in their middle, as
            far as the edges of the sample allow; each class of the sample is as likely.
        void: Label that is no class.

    Raises:
        ValueError: The sample is smaller than the window.
    """
    size = sample.image.shape[:2]
    if size[0] < window[0] or size[1] < window[1]:
        raise ValueError(
            f"{sample.name}: a window of {window[0]}x{window[1]} pixels does not fit into an image "
            f"of {size[0]}x{size[1]}"
        )
    if foreground and sample.mask is not None and rng.random() < foreground:
        pixel = _foreground_pixel(sample.mask, rng, void)
        if pixel is not None:
            row, column = map(partial(_start_around, rng=rng), pixel, size, window)
            return row, column
    row, column = (int(rng.integers(a - b + 1)) for a, b in zip(size, window, strict=True))
    return row, column


def _foreground_pixel(mask: np.ndarray, rng: Rng, void: int) -> tuple[int, ...] | None:
    """Draw a class other than 0 that a mask has, and one of its pixels."""
    present = np.flatnonzero(np.bincount(mask.ravel()))
    classes = present[(present != 0) & (present != void)]
    if not len(classes):
        return None
    places = np.flatnonzero(mask == rng.choice(classes))
    return tuple(map(int, np.unravel_index(rng.choice(places), mask.shape)))


def _start_around(place: int, length: int, window: int, rng: Rng) -> int:
    """Draw where a window begins whose middle half has a place of an axis, if it fits there."""
    start = place - window // 4 - int(rng.integers((window + 1) // 2))
    return int(np.clip(start, 0, length - window))


def cut_to_needed(sample: Sample, placing: Placing) -> tuple[Sample, Placing]:
    """Return the part of a sample that a result shows, and its placing in that part.

    Looking pixels up takes the longer the larger the image is, and a window shows little of it.
    What is mirrored at the edges of the image is part of it.
    """
    spans = [
        _inside(low, high, length)
        for (low, high), length in zip(_spans(placing), sample.image.shape[:2], strict=True)
    ]
    corner = spans[0][0], spans[1][0]
    part = cut(sample, corner, (spans[0][1] - corner[0], spans[1][1] - corner[1]))
    row, column = (a - b for a, b in zip(placing.corner, corner, strict=True))
    return part, replace(placing, corner=(row, column))


def _spans(placing: Placing) -> list[tuple[float, float]]:
    """Return the lowest and highest row, then column, of the sample that a result shows."""
    height, width = placing.size
    reach = 0.0 if placing.field is None else float(np.abs(placing.field.moves).max())
    x = np.array([-reach, width + reach, width + reach, -reach])
    y = np.array([-reach, -reach, height + reach, height + reach])
    columns, rows, depth = placing.inverse @ np.stack([x, y, np.ones(4)])
    if depth.min() <= 0:  # Beyond the horizon of a perspective everything may be seen.
        return [(-np.inf, np.inf)] * 2
    return [(float((one / depth).min()), float((one / depth).max())) for one in (rows, columns)]


def _inside(low: float, high: float, length: int) -> tuple[int, int]:
    """Return the pixels of an axis between two places, and those mirrored there at its ends."""
    first = np.floor(min(low, 2 * length - high) - _MARGIN)
    last = np.ceil(max(high, -low) + _MARGIN)
    start = int(np.clip(first, 0, length - 1))
    return start, int(np.clip(last, start + 1, length))
