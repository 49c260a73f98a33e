"""Logs for TensorBoard, on every backend: the writer needs no TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from kseg.inference.evaluation.confusion_picture import draw_confusion
from kseg.inference.predictor import scores_to_labels
from kseg.metrics import segmentation_report
from kseg.metrics.base import ConfusionMetric
from kseg.palette import as_picture, overlay
from kseg.training.averages import averaged_weights
from kseg.training.callbacks.event_file import EventFile, NoFile
from kseg.training.callbacks.model_graph import model_graph
from kseg.training.heads import ANSWER


class TensorBoardLog(keras.callbacks.Callback):
    """Write curves and pictures after each epoch, and once the settings and the model's graph.

    Two folders, `train` and `validation`, hold scalars of the same names, so that TensorBoard
    draws both curves into one chart. Pictures belong to the validation, where there is one.

    The number of training images per second, without the time of the validation, is also added
    to the `logs` as `images_per_second`, for the callbacks behind this one.

    Args:
        folder: Log folder.
        samples: Images `(N, H, W, C)` of 0..255 and labels `(N, H, W)` to be shown in each
            epoch; no pictures of samples are made if N is 0.
        void: Label without colour.
        images_per_epoch: For the throughput.
        first_epoch: Number of finished epochs; later events of an earlier start are hidden.
        class_names: Names for the IoU of each class and for the picture of the confusion matrix,
            which a compiled `SegmentationMetrics` counts; without names both are left out.
        config_text: The settings of the run.
        writes: False only computes what there is to write: another process writes it.
    """

    def __init__(
        self,
        folder: Path,
        samples: tuple[np.ndarray, np.ndarray],
        void: int,
        images_per_epoch: int,
        first_epoch: int = 0,
        *,
        class_names: Sequence[str] = (),
        config_text: str = "",
        writes: bool = True,
    ):
        super().__init__()
        self.folder, self.samples, self.void = Path(folder), samples, void
        self.images_per_epoch, self.first_epoch = images_per_epoch, first_epoch
        self.class_names, self.config_text = class_names, config_text
        self.writes = writes
        self._files: dict[str, EventFile | NoFile] = {}
        self._start: float | None = None

    def on_train_begin(self, logs=None):
        if self.config_text:
            self._file("train").text("config", self.config_text, self.first_epoch)
        if not self.first_epoch:
            self._file("train").graph(model_graph(self.model))

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_test_begin(self, logs=None):
        # Keras resets the metrics after this call: they still hold the counts of the training.
        self._end_training()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        self._end_training()
        validated = any(name.startswith("val_") for name in logs)
        counts = {"train": self._training_counts}
        if validated:
            counts["validation"] = self._counts()
        logs["images_per_second"] = self._images_per_second
        self._write_scalars(logs, epoch + 1)
        for part, confusion in counts.items():
            self._write_classes(part, confusion, epoch + 1)
        part = "validation" if validated else "train"
        self._write_pictures(part, counts[part], epoch + 1)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs=None):
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, part: str) -> EventFile | NoFile:
        if part not in self._files:
            make = EventFile if self.writes else NoFile
            self._files[part] = make(self.folder / part, self.first_epoch)
        return self._files[part]

    def _end_training(self) -> None:
        """Take the time and the counts of the epoch's training, the first time that it is asked."""
        if self._start is None:
            return
        # Reading the counts waits for the device, which may be behind; the clock comes after it.
        self._training_counts = self._counts()
        self._images_per_second = self.images_per_epoch / (time.perf_counter() - self._start)
        self._start = None

    def _counts(self) -> np.ndarray | None:
        """Return the confusion matrix of the compiled metrics, if one of them has any."""
        for metric in self.model.metrics:
            for one in getattr(metric, "metrics", [metric]):
                if isinstance(one, ConfusionMetric) and not one.per_image:
                    return one.confusion_matrix()
        return None

    def _write_scalars(self, logs: dict, step: int) -> None:
        values = {**logs, "learning_rate": self.model.optimizer.learning_rate}
        for name, value in values.items():
            part = "validation" if name.startswith("val_") else "train"
            self._file(part).scalar(name.removeprefix("val_"), float(value), step)

    def _write_classes(self, part: str, confusion: np.ndarray | None, step: int) -> None:
        if confusion is None or not self.class_names:
            return
        for one in segmentation_report(confusion, self.class_names).classes:
            if one.support:
                self._file(part).scalar(f"class_iou/{one.name}", one.iou, step)

    def _write_pictures(self, part: str, confusion: np.ndarray | None, step: int) -> None:
        file = self._file(part)
        if confusion is not None and self.class_names:
            picture = draw_confusion(confusion, self.class_names)
            file.picture("confusion", picture, step, extension=".png")
        for index, strip in enumerate(self._strips()):
            file.picture(f"image_truth_prediction/{index}", strip, step)

    def _strips(self) -> list[np.ndarray]:
        """Return image, truth and prediction of each sample side by side."""
        images, masks = self.samples
        if not len(images):
            return []
        with averaged_weights(self.model):  # as the validation does
            scores = self.model.predict_on_batch(images)
        scores = scores[ANSWER] if isinstance(scores, dict) else scores
        labels = scores_to_labels(np.asarray(scores))
        truths = np.where(masks == self.void, 0, masks)
        return [
            np.concatenate([as_picture(image), overlay(image, truth), overlay(image, found)], 1)
            for image, truth, found in zip(images, truths, labels, strict=True)
        ]
