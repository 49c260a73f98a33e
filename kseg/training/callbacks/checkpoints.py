"""Writing the last and the best checkpoint, and stopping where it makes no sense to go on."""

from __future__ import annotations

import math
from dataclasses import replace

import keras

from kseg.inference.model_file import ModelInfo, copy_model, save_model
from kseg.runs import RunFolder
from kseg.training.averages import averaged_weights
from kseg.training.monitor import is_better

_STEPS_BETWEEN_LOOKS = 50


class Checkpoints(keras.callbacks.Callback):
    """Write `last.keras` after each epoch, and `best.keras` too when it was the best so far.

    Args:
        run: Where to write.
        info: What the file says about the model; epoch and best score are filled in here.
    """

    def __init__(self, run: RunFolder, info: ModelInfo):
        super().__init__()
        self.run, self.info = run, info

    def on_epoch_end(self, epoch, logs=None):
        name = self.info.monitor
        score = float((logs or {})[name])
        self.info = replace(self.info, epochs=epoch + 1)
        if not is_better(name, score, self.info.best_score):
            save_model(self.model, self.run.last, self.info)
            return
        self.info = replace(self.info, best_score=score, best_epoch=epoch + 1)
        # The last checkpoint comes last: a run killed in between repeats the epoch and its best.
        with averaged_weights(self.model) as averaged:
            save_model(self.model, self.run.best, self.info)
        if averaged:
            save_model(self.model, self.run.last, self.info)
        else:
            copy_model(self.run.best, self.run.last)


class StopAtNaN(keras.callbacks.Callback):
    """End the run with one sentence where the loss is no number any more.

    The loss is looked at every few steps, since each look waits for the device. It must come
    before the callbacks that write something.

    Args:
        run: Where the last good checkpoint is.
    """

    def __init__(self, run: RunFolder):
        super().__init__()
        self.run = run
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % _STEPS_BETWEEN_LOOKS == 0:
            self._check(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs)

    def _check(self, logs):
        loss = float((logs or {})["loss"])
        if math.isfinite(loss):
            return
        kept = f"; {self.run.last} is the last good one" if self.run.last.is_file() else ""
        raise ValueError(
            f"the loss became {loss} in epoch {self._epoch + 1}: try a lower --learning_rate, or "
            f"--clip_norm 1{kept}"
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
        if ran_dry(self.checkpoints.info, self.patience):
            self.model.stop_training = True


def ran_dry(info: ModelInfo, patience: int) -> bool:
    """Tell whether the last `patience` epochs, if that is not 0, brought nothing better."""
    return 0 < patience <= info.epochs - info.best_epoch
