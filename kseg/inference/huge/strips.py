"""Segmenting an image that does not fit into memory, a row of tiles at a time."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from kseg.inference.huge.sinks import open_sink
from kseg.inference.huge.sources import open_source
from kseg.inference.tiles import ROWS_AT_ONCE, Run, blended_rows, row_windows
from kseg.inference.tiling import Tiling

_LABELS = 256
_END = object()
T = TypeVar("T")


class Source(Protocol):
    """An image that is read from top to bottom."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`, uint8 or float32 in 0..255.

        Each row is asked for once, from top to bottom, by one thread at a time.
        """


class Sink(Protocol):
    """A label map that is written from top to bottom."""

    def write(self, start: int, labels: np.ndarray) -> None:
        """Take rows `(h, W)` uint8 from `start` on, few at a time and by one thread at a time."""


def segment_strips(
    source: Source,
    sink: Sink,
    run: Run,
    *,
    tile: int,
    overlap: float = 0.25,
    num_classes: int,
    batch_size: int = 4,
) -> None:
    """Segment an image of any size in the memory of `peak_bytes`.

    The labels are those with the highest of `tiled_probabilities`, the first one of equals. The
    next rows are read, and the last labels written, by threads beside the network.

    Args:
        source: The image.
        sink: Takes the labels, some rows at a time.
        run: The network, from tiles `(N, tile, tile, channels)` of the type that the source gives
            to probabilities `(N, tile, tile, num_classes)`. N is the same in all calls.
        tile: Height and width of the tiles.
        overlap: Least share of a tile that the next one covers too, 0..0.9.
        num_classes: Channels of the probabilities, 2..256.
        batch_size: Most tiles per call of `run`, all of one row of tiles.

    Raises:
        ValueError: An option is out of range, or `run` returns another shape.
    """
    if not 2 <= num_classes <= _LABELS:
        raise ValueError(f"num_classes is {num_classes}; label maps hold 2 to {_LABELS} classes")
    tiling = Tiling(tile, overlap, num_classes, batch_size)
    # Closed here, or after an error a thread would go on reading a source that the caller closes.
    reading = closing(_ahead(row_windows(source.rows, source.shape[0], tiling)))
    with reading as windows, ThreadPoolExecutor(1) as writer:
        start = 0
        written: Future[Any] = writer.submit(int)
        for rows in blended_rows(windows, source.shape, run, tiling):
            labels = _labels(rows)
            written.result()
            written = writer.submit(_write, sink, start, labels)
            start += len(labels)
        written.result()


def _write(sink: Sink, start: int, labels: np.ndarray) -> None:
    for top in range(0, len(labels), ROWS_AT_ONCE):
        sink.write(start + top, labels[top : top + ROWS_AT_ONCE])


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield the items, and make the next one in a thread while one is used."""
    with ThreadPoolExecutor(1) as reader:
        coming: Future[Any] = reader.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = reader.submit(next, items, _END)
            yield item


def _labels(rows: np.ndarray) -> np.ndarray:
    labels = np.empty(rows.shape[:2], np.uint8)
    for top in range(0, len(rows), ROWS_AT_ONCE):  # argmax makes numbers of eight bytes
        labels[top : top + ROWS_AT_ONCE] = rows[top : top + ROWS_AT_ONCE].argmax(-1)
    return labels


def peak_bytes(
    width: int,
    channels: int,
    *,
    tile: int,
    num_classes: int,
    batch_size: int = 4,
    bytes_per_value: int = 1,
) -> int:
    """Return the most memory that `segment_strips` takes beside the network, whatever the height.

    With the width W, c bytes per pixel of the image and C classes,

        W * tile * (4 C + 3 c + 2) + 2 (batch_size + 2) tile^2 (4 C + c) + 64 W (2 c + 10).

    The first part are the means of the rows that are open, the rows of the image for this row of
    tiles and the next, and two strips of labels; the second one the tiles that are run and
    blended; the third what sources and sinks of this package convert at a time. A source that
    decodes a file holds a row of the file's own tiles besides.

    Args:
        width: Of the image, in pixels.
        channels: Of the image.
        tile: Height and width of the tiles.
        num_classes: Channels of the probabilities.
        batch_size: Most tiles per run.
        bytes_per_value: Of the image: 1 for uint8, 4 for float32.
    """
    pixel, scores = channels * bytes_per_value, 4 * num_classes
    width = max(width, tile)
    strips = width * tile * (scores + 3 * pixel + 2)
    batches = 2 * (batch_size + 2) * tile**2 * (scores + pixel)
    return strips + batches + ROWS_AT_ONCE * width * (2 * pixel + 10)


def segment_file(
    source: str | Path,
    target: str | Path,
    run: Run,
    *,
    channels: int = 3,
    tile: int,
    overlap: float = 0.25,
    num_classes: int,
    batch_size: int = 4,
) -> None:
    """Segment an image file of any size into a label file, replaced in one step.

    Args:
        source: Image, of a format that `open_source` reads.
        target: Label file to write, `.png`, `.tif` or `.tiff`.
        run: See `segment_strips`, as for the options.
        channels: Of the image that the network takes.
        tile: Height and width of the tiles.
        overlap: Least share of a tile that the next one covers too.
        num_classes: Channels of the probabilities.
        batch_size: Most tiles per run.

    Raises:
        ValueError: The image cannot be read, an option is out of range, or the target is the
            image itself.
    """
    source, target = Path(source), Path(target)
    image = open_source(source, channels)
    if target.exists() and os.path.samefile(source, target):
        raise ValueError(f"{target}: this is the image itself; name another file for the labels")
    with open_sink(target, *image.shape[:2]) as sink:
        segment_strips(
            image,
            sink,
            run,
            tile=tile,
            overlap=overlap,
            num_classes=num_classes,
            batch_size=batch_size,
        )
