"""Writing the last and the best checkpoint, and stopping where it makes no sense to go on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import keras

from kseg.inference.model_file import ModelInfo, copy_model, save_model
from kseg.runs import RunFolder
from kseg.training.averages import averaged_weights
from kseg.training.distribution import undistributed
from kseg.training.monitor import is_better

_STEPS_BETWEEN_LOOKS = 50


class Checkpoints(keras.callbacks.Callback):
    """Write `last.keras` after each epoch, and `best.keras` too when it was the best so far.

    Args:
        run: Where to write.
        info: What the file says about the model; epoch and best score are filled in here.
        writes: False only keeps `info` up to date: another process writes the files.
    """

    def __init__(self, run: RunFolder, info: ModelInfo, *, writes: bool = True):
        super().__init__()
        self.run, self.info, self.writes = run, info, writes

    def on_epoch_end(self, epoch, logs=None):
        name = self.info.monitor
        score = float((logs or {})[name])
        self.info = replace(self.info, epochs=epoch + 1)
        if not is_better(name, score, self.info.best_score):
            self._save(self.run.last)
            return
        self.info = replace(self.info, best_score=score, best_epoch=epoch + 1)
        # The last checkpoint comes last: a run killed in between repeats the epoch and its best.
        # All processes swap the weights: that needs each of them.
        with averaged_weights(self.model) as averaged:
            self._save(self.run.best)
        if averaged:
            self._save(self.run.last)
        elif self.writes:
            copy_model(self.run.best, self.run.last)

    def _save(self, path: Path) -> None:
        if self.writes:
            # Keras makes an optimizer while it saves a model, to see what attributes they have.
            with undistributed():
                save_model(self.model, path, self.info)


class StopAtNaN(keras.callbacks.Callback):
    """End the run with one sentence where the loss is no number any more.

    The loss is looked at every few steps, since each look waits for the device. It must come
    before the callbacks that write something.

    Args:
        run: Where the last good checkpoint is.
    """

    def __init__(self, run: RunFolder):
        super().__init__()
        # Keras need not wait for the numbers of steps that are not looked at.
        self.async_safe = True
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
        since: Finished epochs from which on they count, those before the phase.
    """

    def __init__(self, checkpoints: Checkpoints, patience: int, since: int = 0):
        super().__init__()
        self.checkpoints, self.patience, self.since = checkpoints, patience, since

    def on_epoch_end(self, epoch, logs=None):
        if ran_dry(self.checkpoints.info, self.patience, self.since):
            self.model.stop_training = True


def ran_dry(info: ModelInfo, patience: int, since: int = 0) -> bool:
    """Tell whether the last `patience` epochs, if that is not 0, brought nothing better.

    Args:
        info: Finished epochs, and at which of them the score was best.
        patience: Number of epochs.
        since: Only epochs after this many finished ones count.
    """
    return 0 < patience <= info.epochs - max(info.best_epoch, since)
