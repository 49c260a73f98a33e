"""Writing the last and the best checkpoint, and stopping when there is no progress."""

from __future__ import annotations

import math
from dataclasses import replace

import keras

from kseg.inference.model_file import ModelInfo, copy_model, save_model
from kseg.runs import RunFolder


class Checkpoints(keras.callbacks.Callback):
    """Write `last.keras` after each epoch, and `best.keras` too when the score rose.

    Args:
        run: Where to write.
        info: What the file says about the model; epoch and best score are filled in here.
        monitor: Name of the score in the logs; higher is better.
    """

    def __init__(self, run: RunFolder, info: ModelInfo, monitor: str):
        super().__init__()
        self.run, self.info, self.monitor = run, info, monitor

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self._refuse_nan(epoch, logs)
        score = float(logs[self.monitor])
        best = self.info.best_score
        self.info = replace(self.info, epochs=epoch + 1)
        if best is not None and score <= best:
            save_model(self.model, self.run.last, self.info)
            return
        self.info = replace(self.info, best_score=score, best_epoch=epoch + 1)
        # The last checkpoint comes last: a run killed in between repeats the epoch and its best.
        save_model(self.model, self.run.best, self.info)
        copy_model(self.run.best, self.run.last)

    def _refuse_nan(self, epoch: int, logs: dict) -> None:
        if math.isfinite(logs["loss"]):
            return
        kept = f"; {self.run.last} is the last good one" if self.run.last.is_file() else ""
        raise ValueError(
            f"the loss became {logs['loss']} in epoch {epoch + 1}: try a lower --learning_rate"
            f"{kept}"
        )


class EarlyStop(keras.callbacks.Callback):
    """Stop after `patience` epochs without a better score; it needs no memory of its own.

    Args:
        checkpoints: Knows the epoch of the best score, also after a resumed start.
        patience: Number of epochs.
    """

    def __init__(self, checkpoints: Checkpoints, patience: int):
        super().__init__()
        self.checkpoints, self.patience = checkpoints, patience

    def on_epoch_end(self, epoch, logs=None):
        if self.checkpoints.info.epochs - self.checkpoints.info.best_epoch >= self.patience:
            self.model.stop_training = True
