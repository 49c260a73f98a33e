"""The bridge from batches of arrays to Keras' fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import cv2
import keras
import numpy as np

from kseg.data.batches import Batches, Reader
from kseg.training.heads import head_truth
from kseg.training.shards import EvenBatches

# Threads that ask for batches: while one puts its samples together, the other's are read.
_ASKING = 2
_AHEAD = 8


class Loader(keras.utils.PyDataset):
    """Feeds `Batches` to `fit`; worker threads read ahead, sample by sample.

    `epoch` must be set before each epoch. Keras peeks at batches before the first one, so
    counting calls would be off; nothing is read ahead of a peek.

    Args:
        batches: Where the arrays come from.
        workers: Threads; with 0 or 1 batches are read between the steps.
        heads: Names of the model's outputs where it has several.
        dtype: Type of the images of all batches, float32 or uint8; by default that of each batch.

    Attributes:
        failure: What the last batch that could not be read raised, see `own_errors`.
    """

    def __init__(
        self,
        batches: Batches | EvenBatches,
        workers: int = 0,
        heads: Sequence[str] = (),
        dtype: type[np.generic] | None = None,
    ):
        # Keras' own threads wait for a tenth of a second at the end of each epoch.
        super().__init__(workers=1, use_multiprocessing=False)
        self.batches, self.heads, self.dtype = batches, heads, dtype
        self.failure: Exception | None = None
        self.epoch = 0
        self._read: Reader = map
        self._askers: ThreadPoolExecutor | None = None
        self._ahead = 0
        self._coming: dict[int, Future[tuple[Any, ...]]] = {}
        if workers > 1:
            # The worker threads fill the cores; OpenCV's own would get in their way.
            cv2.setNumThreads(1)
            self._read = ThreadPoolExecutor(workers).map
            self._askers = ThreadPoolExecutor(_ASKING)

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.batches)

    def on_epoch_begin(self) -> None:
        """Read ahead from now on."""
        self._ahead = _AHEAD

    def on_epoch_end(self) -> None:
        """Stop reading ahead, and forget what nobody asked for."""
        self._ahead = 0
        while self._coming:
            self._coming.popitem()[1].cancel()

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return images `(N, H, W, C)` and their truth, see `Batches.batch`.

        Batches with weights of pixels give these third; Keras hands them to the loss as
        `sample_weight`. A model with several outputs gets a dict of truths, one for each.
        """
        try:
            return self._get(index)
        except Exception as error:
            self.failure = error
            raise

    def _get(self, index: int) -> tuple[Any, ...]:
        if self._askers is None:
            return self._batch(self.epoch, index)
        for later in range(index, min(index + self._ahead, len(self))):
            if later not in self._coming:
                self._coming[later] = self._askers.submit(self._batch, self.epoch, later)
        coming = self._coming.pop(index, None)
        return self._batch(self.epoch, index) if coming is None else coming.result()

    def _batch(self, epoch: int, index: int) -> tuple[Any, ...]:
        images, truth, *weights = self.batches.batch(epoch, index, self._read)
        images = self._of_one_type(images)
        if not self.heads:
            return images, truth, *weights
        truths = head_truth(self.heads, truth, self.batches.dataset.void)
        return images, truths, *(dict.fromkeys(self.heads, one) for one in weights)

    def _of_one_type(self, images: np.ndarray) -> np.ndarray:
        if self.dtype is np.uint8 and images.dtype != np.uint8:
            raise ValueError(
                f"{self.batches.dataset.name}: most images have 8 bits per channel, but one of "
                "more was read whose header does not say so; save all images with 8 bits"
            )
        return images if self.dtype is None else images.astype(self.dtype, copy=False)


@contextmanager
def own_errors(*loaders: Loader | None) -> Iterator[None]:
    """Raise what a loader raised within a block, not what TensorFlow makes of it.

    Its data sets turn each exception of Python into one of their own, with the whole traceback as
    its message.

    Args:
        loaders: The loaders that Keras reads from within the block.
    """
    try:
        yield
    except Exception as error:
        for one in loaders:
            if one is not None and one.failure not in (None, error):
                raise one.failure from None
        raise


class EpochSetter(keras.callbacks.Callback):
    """Tells the training loader which epoch it is in."""

    def __init__(self, loader: Loader):
        super().__init__()
        self.loader = loader

    def on_epoch_begin(self, epoch, logs=None):
        self.loader.epoch = epoch
