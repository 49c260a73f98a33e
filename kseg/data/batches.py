"""Batches of arrays that depend on (seed, epoch, index) only, whoever asks for them and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from kseg import __version__
from kseg.data.augment import Transform, augment, needs_soft_labels, soft_labels
from kseg.data.cache import DiskCache, RamCache
from kseg.data.dataset import Dataset, Sample, SampleFiles
from kseg.data.edge_weighting import edge_weights
from kseg.data.reading import describe_reading
from kseg.data.resize import resize_sample
from kseg.data.windows import WindowFiles

Reader = Callable[[Callable[[int], Sample], Iterable[int]], Iterable[Sample]]
"""Calls a function on each of some numbers, as `map` does, maybe on several threads."""


@dataclass(frozen=True)
class Batches:
    """Reads the batches of one part of a data set.

    Attributes:
        dataset: The data set.
        files: Its samples to read, or windows of them.
        batch_size: Samples per batch.
        size: Height and width that samples are fitted to.
        resize_op: 1 stretch, 2 letterbox.
        transforms: Augmentation, applied in this order after resizing.
        repeats: How often an epoch shows each sample, each time transformed anew.
        shuffle: New order in each epoch, and only full batches (no batch of one at the end, whose
            batch statistics would be worthless).
        seed: Seed of order and augmentation.
        pixel_weights: Options of `edge_weights`, for losses that need a weight per pixel; None
            for others.
        cache: Keeps the decoded and resized samples, or None.
        shard: This process and how many there are: of `batch_size * count` samples each takes
            the next `batch_size`.
    """

    dataset: Dataset
    files: Sequence[SampleFiles]
    batch_size: int
    size: tuple[int, int]
    resize_op: int = 1
    transforms: Sequence[Transform] = ()
    repeats: int = 1
    shuffle: bool = False
    seed: int = 0
    pixel_weights: Mapping[str, Any] | None = None
    cache: RamCache | DiskCache | None = None
    shard: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        """Check that there is at least one batch, and that its truth can be made."""
        if len(self) == 0:
            raise ValueError(
                f"{self.dataset.name}: {self._shown} images are fewer than one batch of "
                f"{self.batch_size * self.shard[1]}; lower the batch size"
            )
        if self.pixel_weights is not None and needs_soft_labels(self.transforms):
            raise ValueError(
                "the loss needs a map of weights from whole labels, and mixup gives soft ones; "
                "leave mixup out of the augmentation or choose another loss"
            )

    @property
    def _shown(self) -> int:
        return len(self.files) * self.repeats

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        full, rest = divmod(self._shown, self.batch_size * self.shard[1])
        return full + (1 if rest and not self.shuffle else 0)

    def batch(self, epoch: int, index: int, read: Reader = map) -> tuple[np.ndarray, ...]:
        """Return images `(N, H, W, C)` and their truth of batch `index`.

        The truth is labels `(N, H, W)`, or float32 shares of classes `(N, H, W, num_classes)`
        where samples are mixed by `mixup`. With `pixel_weights` the float32 weights of the
        pixels `(N, H, W)` come third.

        Args:
            epoch: Epoch, from 0.
            index: Batch of the epoch, from 0.
            read: What reads the samples of the batch, the `map` of a pool of threads for example.
        """
        rank, count = self.shard
        start = (index * count + rank) * self.batch_size
        chosen = self._order(epoch)[start : start + self.batch_size]
        samples = list(read(lambda one: self._sample(epoch, one), map(int, chosen)))
        images, truth = np.stack([s.image for s in samples]), self._truth(samples)
        if self.pixel_weights is None:
            return images, truth
        return images, truth, np.stack([self._weights(sample) for sample in samples])

    def _weights(self, sample: Sample) -> np.ndarray:
        """Return the map of weights: the one of the fitted sample, or anew for a changed one."""
        if sample.weights is not None:
            return sample.weights
        options = {"ignore_class": self.dataset.void, **(self.pixel_weights or {})}
        return edge_weights(sample.labels, **options)

    def _truth(self, samples: Sequence[Sample]) -> np.ndarray:
        if not needs_soft_labels(self.transforms):
            return np.stack([sample.labels for sample in samples])
        classes, void = self.dataset.num_classes, self.dataset.void
        return np.stack([soft_labels(sample, classes, void) for sample in samples])

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self._shown)
        return _permutation(self.seed, epoch, self._shown)

    def _sample(self, epoch: int, index: int) -> Sample:
        rng = np.random.default_rng([self.seed, epoch, index])
        return augment(self._fitted(index % len(self.files)), self.transforms, rng, self._any)

    def _any(self, rng: np.random.Generator) -> Sample:
        return self._fitted(int(rng.integers(len(self.files))))

    def _fitted(self, index: int) -> Sample:
        """Return what is the same in every epoch: a sample decoded and resized.

        Its map of weights is part of it only where nothing changes the sample afterwards: zooming
        and bending widen and narrow the gaps that the map is about.
        """
        files = self.files[index]
        cache = self._usable_cache
        if cache is None:
            sample = self._load(files)
        else:
            sample = cache.get(self._key(files), lambda: self._load(files))
        if isinstance(files, WindowFiles):
            return files.window(sample, self.dataset.void)
        return sample

    def _load(self, files: SampleFiles) -> Sample:
        sample = self.dataset.load(files)
        sample = resize_sample(sample, self.size, self.resize_op, self.dataset.void)
        if self.pixel_weights is None or self.transforms:
            return sample
        return replace(sample, weights=self._weights(sample))

    @cached_property
    def _reading(self) -> str | None:
        return describe_reading(self.dataset)

    @property
    def _usable_cache(self) -> RamCache | DiskCache | None:
        """Return the cache, but none on disk for what a later run could take for something else."""
        unsafe = self._reading is None and isinstance(self.cache, DiskCache)
        return None if unsafe else self.cache

    def _key(self, files: SampleFiles) -> str:
        """Return a text that changes whenever the sample would."""
        paths = [path for path in (files.image, files.mask, files.valid) if path is not None]
        states = [(str(path.resolve()), path.stat().st_mtime_ns) for path in paths]
        decoding = __version__, self.dataset.name, self._reading, files.page
        weights = None if self.transforms else self.pixel_weights
        return repr((states, decoding, self.size, self.resize_op, weights))


# Every batch of an epoch asks for the same order; two, because workers read ahead.
@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)
