"""The part of the validation that one process of several reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kseg.data.batches import Batches, Reader
from kseg.data.dataset import SampleFiles


@dataclass(frozen=True)
class EvenBatches:
    """Batches in the order of the files of which all processes and devices get the same number.

    The last batch is filled up with images whose pixels are all void: they count in no score and,
    for losses that are means over pixels, in no loss.

    Attributes:
        batches: All batches; none of them is shuffled or changed.
        shard: This process and how many there are.
        devices: How many devices a batch is split over.
    """

    batches: Batches
    shard: tuple[int, int]
    devices: int

    @property
    def dataset(self):
        """The data set."""
        return self.batches.dataset

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.batches)

    def batch(self, epoch: int, index: int, read: Reader = map) -> tuple[np.ndarray, ...]:
        """Return this process' images and truth of a batch, see `Batches.batch`."""
        size = self.batches.batch_size
        files = self.batches.files[index * size : (index + 1) * size]
        rank, count = self.shard
        share = -(-len(files) // self.devices) * self.devices // count
        mine = files[rank * share : (rank + 1) * share]
        arrays = self._read(mine or files[:1], epoch, read)
        if len(mine) == share:
            return arrays
        return self._filled(arrays, len(mine), share)

    def _read(
        self, files: Sequence[SampleFiles], epoch: int, read: Reader
    ) -> tuple[np.ndarray, ...]:
        return replace(self.batches, files=files, batch_size=len(files)).batch(epoch, 0, read)

    def _filled(self, arrays: tuple[np.ndarray, ...], kept: int, share: int) -> tuple:
        # The first image is repeated, without truth and without weight.
        order = [*range(kept), *[0] * (share - kept)]
        images, truth, *weights = (array[order] for array in arrays)
        truth[kept:] = self.dataset.void
        for one in weights:
            one[kept:] = 0
        return images, truth, *weights
