"""The bridge from batches of arrays to Keras' fit."""

from __future__ import annotations

import cv2
import keras
import numpy as np

from kseg.data.batches import Batches


class Loader(keras.utils.PyDataset):
    """Feeds `Batches` to `fit`; worker threads read ahead.

    `epoch` must be set before each epoch. Keras peeks at a batch before the first one, so
    counting calls would be off by one.

    Args:
        batches: Where the arrays come from.
        workers: Threads; with 0 or 1 batches are read between the steps.
    """

    def __init__(self, batches: Batches, workers: int = 0):
        if workers > 1:
            # The worker threads fill the cores; OpenCV's own would get in their way.
            cv2.setNumThreads(1)
        super().__init__(workers=max(workers, 1), use_multiprocessing=False, max_queue_size=8)
        self.batches = batches
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Return images `(N, H, W, 3)` and labels `(N, H, W)`, both uint8.

        Batches with weights of pixels give these third, float32 `(N, H, W)`; Keras hands them to
        the loss as `sample_weight`.
        """
        return self.batches.batch(self.epoch, index)


class EpochSetter(keras.callbacks.Callback):
    """Tells the training loader which epoch it is in."""

    def __init__(self, loader: Loader):
        super().__init__()
        self.loader = loader

    def on_epoch_begin(self, epoch, logs=None):
        self.loader.epoch = epoch
