"""Batches of arrays that depend on (seed, epoch, index) only, whoever asks for them and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kseg.data.augment import Transform
from kseg.data.dataset import Dataset, Sample, SampleFiles
from kseg.data.resize import resize_sample


@dataclass(frozen=True)
class Batches:
    """Reads the batches of one part of a data set.

    Attributes:
        dataset: The data set.
        files: Its samples to read.
        batch_size: Samples per batch.
        size: Height and width of the arrays.
        resize_op: 1 stretch, 2 letterbox.
        transforms: Augmentation, applied in this order after resizing.
        shuffle: New order in each epoch, and only full batches (no batch of one at the end, whose
            batch statistics would be worthless).
        seed: Seed of order and augmentation.
    """

    dataset: Dataset
    files: Sequence[SampleFiles]
    batch_size: int
    size: tuple[int, int]
    resize_op: int = 1
    transforms: Sequence[Transform] = ()
    shuffle: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that there is at least one batch."""
        if len(self) == 0:
            raise ValueError(
                f"{self.dataset.name}: {len(self.files)} images are fewer than one batch of "
                f"{self.batch_size}; lower the batch size"
            )

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        full, rest = divmod(len(self.files), self.batch_size)
        return full + (1 if rest and not self.shuffle else 0)

    def batch(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return images `(N, H, W, 3)` uint8 and labels `(N, H, W)` of batch `index`."""
        chosen = range(index * self.batch_size, (index + 1) * self.batch_size)
        order = self._order(epoch)
        samples = [self._sample(epoch, int(order[i])) for i in chosen if i < len(order)]
        return np.stack([s.image for s in samples]), np.stack([s.labels for s in samples])

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.files))
        return _permutation(self.seed, epoch, len(self.files))

    def _sample(self, epoch: int, index: int) -> Sample:
        sample = self.dataset.load(self.files[index])
        sample = resize_sample(sample, self.size, self.resize_op, self.dataset.void)
        rng = np.random.default_rng([self.seed, epoch, index])
        for transform in self.transforms:
            sample = transform(sample, rng)
        return sample


# Every batch of an epoch asks for the same order; two, because workers read ahead.
@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)
