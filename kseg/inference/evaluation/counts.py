"""The counts of every image, kept on the disk: a million images need no memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np

from kseg.metrics.confusion import Counts, counts_of

_CHUNK_BYTES = 1 << 22


class ImageCounts:
    """TP, FP and FN of each class of every image, from which its scores and the bootstrap come.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int):
        self._num_classes = num_classes
        # A record is a mark that it was written, and the three counts of each class.
        self._record = 1 + 3 * num_classes
        self._file = tempfile.TemporaryFile(prefix="kseg-")  # noqa: SIM115  (`close` closes it)
        self.images = 0

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

    def put(self, index: int, confusion: np.ndarray) -> None:
        """Keep what scores need of a confusion matrix; images may come in any order.

        Args:
            index: Number of the image in the list of all.
            confusion: int64 `(C, C)`, rows truth.
        """
        tp, fp, fn, _ = counts_of(confusion, np)
        self._file.seek(8 * self._record * index)
        self._file.write(np.concatenate([[1], tp, fp, fn]).astype(np.int64).tobytes())
        self.images += 1

    def chunks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield numbers of images `(n,)` and their counts int64 `(n, 3, C)`, in their order."""
        size = 8 * self._record
        per_chunk = max(1, _CHUNK_BYTES // size)
        first = 0
        while data := self._read(first, per_chunk):
            records = np.frombuffer(data, np.int64).reshape(-1, self._record)
            written = np.flatnonzero(records[:, 0])
            if written.size:
                counts = records[written, 1:].reshape(-1, 3, self._num_classes)
                yield first + written, counts
            first += len(records)

    def _read(self, first: int, count: int) -> bytes:
        size = 8 * self._record
        self._file.seek(size * first)
        return self._file.read(size * count)


def all_counts(table: np.ndarray) -> Counts:
    """Return the `Counts` `(n, C)`, float64, of TP, FP and FN `(n, 3, C)`."""
    tp, fp, fn = np.moveaxis(table.astype(np.float64), 1, 0)
    total = (tp + fn).sum(-1, keepdims=True)
    return Counts(tp, fp, fn, total - tp - fp - fn)
