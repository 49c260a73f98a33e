"""Where the tiles of an image are, and what each weighs.

Tiles are weighted by a Gaussian around their centre, as in nnU-Net (Isensee et al., 2021,
doi:10.1038/s41592-020-01008-z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MOST_OVERLAP = 0.9
_SIGMA = 1 / 8
"""Standard deviation of the weights, in tiles: a corner weighs 1e-7 of the centre, an edge 3e-4."""


@dataclass(frozen=True)
class Tiling:
    """How an image is cut and what the network gives.

    Attributes:
        tile: Height and width of a tile in pixels.
        overlap: Least share of a tile that the next one covers too, 0..0.9.
        num_classes: Channels of the probabilities.
        batch_size: Most tiles per run.

    Raises:
        ValueError: One of them is out of range.
    """

    tile: int
    overlap: float
    num_classes: int
    batch_size: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("tile", "num_classes", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.overlap <= _MOST_OVERLAP:
            raise ValueError(f"overlap is {self.overlap}; it must be in 0..{_MOST_OVERLAP}")


@dataclass(frozen=True)
class Axis:
    """The tiles along the height or the width of an image.

    Attributes:
        starts: First pixel of each tile, ascending from 0.
        done: Number of pixels, from the start of each tile on, that no later tile covers.
        shares: Share of each tile in the mean of it and those before it, float32 `(n, tile)`.
    """

    starts: tuple[int, ...]
    done: tuple[int, ...]
    shares: np.ndarray

    @classmethod
    def of(cls, length: int, tiling: Tiling) -> Axis:
        """Return the tiles along `length` pixels."""
        starts = tile_starts(length, tiling.tile, tiling.overlap)
        done = tuple(np.diff([*starts, length]).tolist())
        return cls(starts, done, blend_shares(starts, tiling.tile))


def tile_starts(length: int, tile: int, overlap: float) -> tuple[int, ...]:
    """Return where tiles start: evenly spread, the last one ending with the image.

    As few tiles as overlap by `overlap` or more; a single one where the image is not larger.

    Args:
        length: Pixels to cover.
        tile: Pixels of a tile.
        overlap: Least share that neighbours have in common.
    """
    rest = length - tile
    if rest <= 0:
        return (0,)
    steps = -(-rest // max(1, tile - round(tile * overlap)))
    return tuple(rest * index // steps for index in range(steps + 1))


def blend_shares(starts: Sequence[int], tile: int) -> np.ndarray:
    """Return the share of each tile in the weights of the tiles so far, float32 `(n, tile)`.

    It is exactly 1 where a tile is the first one.
    """
    places = np.arange(tile) - (tile - 1) / 2
    weights = np.exp(-0.5 * (places / (_SIGMA * tile)) ** 2)
    total = np.zeros(starts[-1] + tile)
    shares = np.empty((len(starts), tile), np.float32)
    for index, start in enumerate(starts):
        total[start : start + tile] += weights
        shares[index] = weights / total[start : start + tile]
    return shares


def mirrored(length: int, total: int) -> np.ndarray:
    """Return indices `(total,)` that go back and forth between 0 and `length` - 1."""
    period = max(1, 2 * (length - 1))
    places = np.arange(total) % period
    return np.where(places < length, places, period - places)
