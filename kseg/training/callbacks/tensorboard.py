"""Logs for TensorBoard, on every backend: the writer needs no TensorFlow."""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np
from tensorboardX import SummaryWriter

from kseg.inference.predictor import scores_to_labels
from kseg.palette import as_picture, overlay


class TensorBoardLog(keras.callbacks.Callback):
    """Write scalars and pictures of a few fixed samples after each epoch.

    Two folders, `train` and `validation`, hold scalars of the same names, so that TensorBoard
    draws both curves into one chart.

    Args:
        folder: Log folder.
        samples: Images `(N, H, W, C)` of 0..255 and labels `(N, H, W)`.
        void: Label without colour.
        images_per_epoch: For the throughput.
        first_epoch: Number of finished epochs; later events of an earlier start are hidden.
    """

    def __init__(
        self,
        folder: Path,
        samples: tuple[np.ndarray, np.ndarray],
        void: int,
        images_per_epoch: int,
        first_epoch: int = 0,
    ):
        super().__init__()
        self.folder, self.samples, self.void = folder, samples, void
        self.images_per_epoch, self.first_epoch = images_per_epoch, first_epoch

    def on_train_begin(self, logs=None):
        purge = self.first_epoch + 1 if self.first_epoch else None
        self._train, self._validation = (
            SummaryWriter(str(self.folder / part), purge_step=purge)
            for part in ("train", "validation")
        )

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        step = epoch + 1
        for name, value in (logs or {}).items():
            writer = self._validation if name.startswith("val_") else self._train
            writer.add_scalar(name.removeprefix("val_"), float(value), step)
        rate = self.images_per_epoch / (time.perf_counter() - self._start)
        self._train.add_scalar("images_per_second", rate, step)
        self._train.add_scalar("learning_rate", float(self.model.optimizer.learning_rate), step)
        self._write_pictures(step)
        self._train.flush()
        self._validation.flush()

    def _write_pictures(self, step: int) -> None:
        images, masks = self.samples
        scores = keras.ops.convert_to_numpy(self.model.predict_on_batch(images))
        for index, (image, mask, predicted) in enumerate(
            zip(images, masks, scores_to_labels(scores), strict=True)
        ):
            truth = np.where(mask == self.void, 0, mask)
            strip = np.concatenate(
                [as_picture(image), overlay(image, truth), overlay(image, predicted)], axis=1
            )
            tag = f"image_truth_prediction/{index}"
            self._validation.add_image(tag, strip, step, dataformats="HWC")

    def on_train_end(self, logs=None):
        self._train.close()
        self._validation.close()
