"""Running a network tile by tile, and blending what overlaps.

The blend is not a sum divided at the end: it is a running mean
(West, 1979, doi:10.1145/359146.359153), which each tile moves by its share of the weights so far,

    mean += share * (prediction - mean),    share = weight / (sum of the weights so far).

The first tile over a pixel has the share 1 and sets the mean; a later one that says the same adds
`share * 0`. Where all tiles agree the result is therefore their value, bit by bit, whatever the
weights and however they are rounded.

A Gaussian is a product of one in x and one in y, so that tiles are blended along a row of tiles
first and the rows of tiles with each other afterwards. Rows of pixels above the next row of tiles
are then complete: nothing but the rows of a tile's height is ever open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from kseg.inference.tiling import Axis, Tiling, mirrored, tile_starts

Run = Callable[[np.ndarray], np.ndarray]
"""From tiles `(N, tile, tile, channels)` to probabilities `(N, tile, tile, C)`."""

ROWS_AT_ONCE = 64
"""Rows of pixels that are read, converted and written together."""


def tiled_probabilities(
    image: np.ndarray,
    run: Run,
    *,
    tile: int,
    overlap: float = 0.25,
    num_classes: int,
    batch_size: int = 4,
) -> np.ndarray:
    """Return the probabilities `(H, W, num_classes)` float32 of an image of any size.

    An image that is smaller than a tile is continued by its mirror image.

    Args:
        image: `(H, W, channels)`, uint8 or float32.
        run: The network, from tiles `(N, tile, tile, channels)` of the image's type to
            probabilities `(N, tile, tile, num_classes)`. N is the same in all calls.
        tile: Height and width of the tiles.
        overlap: Least share of a tile that the next one covers too, 0..0.9.
        num_classes: Channels of the probabilities.
        batch_size: Most tiles per call of `run`, all of one row of tiles.

    Raises:
        ValueError: An option is out of range, or `run` returns another shape.
    """
    tiling = Tiling(tile, overlap, num_classes, batch_size)
    result = np.empty((*image.shape[:2], num_classes), np.float32)
    start = 0
    windows = row_windows(lambda first, last: image[first:last], len(image), tiling)
    for rows in blended_rows(windows, image.shape, run, tiling):
        result[start : start + len(rows)] = rows
        start += len(rows)
    return result


def row_windows(
    read: Callable[[int, int], np.ndarray], height: int, tiling: Tiling
) -> Iterator[np.ndarray]:
    """Yield the rows of an image below each row of tiles, `(tile, W, channels)`.

    Args:
        read: Returns the rows from one number up to another; it is asked for each row once, from
            top to bottom, for few at a time.
        height: Number of rows.
        tiling: How the image is cut.
    """
    window, end = np.empty(0), 0
    for start in tile_starts(height, tiling.tile, tiling.overlap):
        last, kept = min(start + tiling.tile, height), end - start
        tops = range(end, last, ROWS_AT_ONCE)
        # Nothing but the result has a name, so that the parts are gone when it is yielded.
        window = np.concatenate(
            [
                *([window[-kept:]] if kept else []),
                *(read(top, min(top + ROWS_AT_ONCE, last)) for top in tops),
            ]
        )
        end = last
        yield window if height >= tiling.tile else window[mirrored(height, tiling.tile)]


def blended_rows(
    windows: Iterable[np.ndarray], shape: Sequence[int], run: Run, tiling: Tiling
) -> Iterator[np.ndarray]:
    """Yield the probabilities of an image from top to bottom, float32 `(rows, W, C)`.

    What is yielded is overwritten when the next is asked for.

    Args:
        windows: The image as by `row_windows`.
        shape: Its height and width.
        run: The network.
        tiling: How the image is cut.
    """
    rows, columns = (Axis.of(length, tiling) for length in shape[:2])
    means = np.zeros((tiling.tile, shape[1], tiling.num_classes), np.float32)
    for share, done, window in zip(rows.shares, rows.done, windows, strict=True):
        for left, part in _blended_columns(window, columns, run, tiling):
            _mix(means[:, left : left + part.shape[1]], part, share[:, None, None])
        yield means[:done]
        _drop_first(means, done)


def _blended_columns(
    window: np.ndarray, columns: Axis, run: Run, tiling: Tiling
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield where they are, and the probabilities of the columns `(tile, w, C)` of a window."""
    means = np.zeros((tiling.tile, tiling.tile, tiling.num_classes), np.float32)
    if window.shape[1] < tiling.tile:
        window = window[:, mirrored(window.shape[1], tiling.tile)]
    predictions = _predictions(window, columns.starts, run, tiling)
    for index, (left, prediction) in enumerate(zip(columns.starts, predictions, strict=True)):
        _mix(means, prediction, columns.shares[index][:, None])
        yield left, means[:, : columns.done[index]]
        _drop_first(means.swapaxes(0, 1), columns.done[index])


def _predictions(
    window: np.ndarray, starts: Sequence[int], run: Run, tiling: Tiling
) -> Iterator[np.ndarray]:
    """Yield the probabilities of each tile; the last batch is filled up with its last tile."""
    size = -(-len(starts) // -(-len(starts) // tiling.batch_size))
    for first in range(0, len(starts), size):
        lefts = starts[first : first + size]
        tiles = [window[:, left : left + tiling.tile] for left in lefts]
        batch = np.stack([*tiles, *[tiles[-1]] * (size - len(tiles))])
        found = np.asarray(run(batch), np.float32)
        if found.shape != (*batch.shape[:3], tiling.num_classes):
            raise ValueError(
                f"the network made an array of shape {found.shape} of tiles of shape "
                f"{batch.shape}; its last axis must be the {tiling.num_classes} classes, and the "
                "others those of the tiles"
            )
        yield from found[: len(lefts)]


def _mix(means: np.ndarray, prediction: np.ndarray, share: np.ndarray) -> None:
    change = prediction - means
    change *= share
    means += change


def _drop_first(means: np.ndarray, count: int) -> None:
    """Move what lies behind the first `count` to the front, and clear the rest."""
    for start in range(count, len(means), count):
        # Blocks that do not reach into their own target: NumPy would copy the whole array.
        block = means[start : start + count]
        means[start - count : start - count + len(block)] = block
    means[-count:] = 0
