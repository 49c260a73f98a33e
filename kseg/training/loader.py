"""The bridge from batches of arrays to Keras' fit."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import keras

from kseg.data.batches import Batches, Reader
from kseg.training.heads import head_truth
from kseg.training.shards import EvenBatches

# Threads of Keras that ask for batches: while one puts its samples together, the other's are read.
_ASKING = 2


class Loader(keras.utils.PyDataset):
    """Feeds `Batches` to `fit`; worker threads read ahead, sample by sample.

    `epoch` must be set before each epoch. Keras peeks at a batch before the first one, so
    counting calls would be off by one.

    Args:
        batches: Where the arrays come from.
        workers: Threads; with 0 or 1 batches are read between the steps.
        heads: Names of the model's outputs where it has several.
    """

    def __init__(self, batches: Batches | EvenBatches, workers: int = 0, heads: Sequence[str] = ()):
        if workers > 1:
            # The worker threads fill the cores; OpenCV's own would get in their way.
            cv2.setNumThreads(1)
        asking = _ASKING if workers > 1 else 1
        super().__init__(workers=asking, use_multiprocessing=False, max_queue_size=8)
        self.batches, self.heads = batches, heads
        self._read: Reader = ThreadPoolExecutor(workers).map if workers > 1 else map
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return images `(N, H, W, C)` and their truth, see `Batches.batch`.

        Batches with weights of pixels give these third; Keras hands them to the loss as
        `sample_weight`. A model with several outputs gets a dict of truths, one for each.
        """
        images, truth, *weights = self.batches.batch(self.epoch, index, self._read)
        if not self.heads:
            return images, truth, *weights
        truths = head_truth(self.heads, truth, self.batches.dataset.void)
        return images, truths, *(dict.fromkeys(self.heads, one) for one in weights)


class EpochSetter(keras.callbacks.Callback):
    """Tells the training loader which epoch it is in."""

    def __init__(self, loader: Loader):
        super().__init__()
        self.loader = loader

    def on_epoch_begin(self, epoch, logs=None):
        self.loader.epoch = epoch
