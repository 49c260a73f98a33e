"""A progress bar over the whole run and a line per epoch."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import keras
from tqdm import tqdm

# A bar in a log file is a new line each time.
_SECONDS_BETWEEN_LINES_IN_A_FILE = 15


class Progress(keras.callbacks.Callback):
    """Show images/s and the time left of the whole run, and print each epoch's numbers.

    Args:
        steps: Training steps and images per step of each epoch of the whole run.
        monitor: The score to print.
    """

    def __init__(self, steps: Sequence[tuple[int, int]], monitor: str):
        super().__init__()
        # Else Keras waits for the device after each step, to give numbers that nobody reads.
        self.async_safe = True
        self.steps, self.monitor = steps, monitor
        self._bar: tqdm | None = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._bar is None:
            self._bar = self._make_bar(done=epoch)
        self._batch_size = self.steps[epoch][1]
        self._bar.set_description(f"epoch {epoch + 1}/{len(self.steps)}")

    def _make_bar(self, done: int) -> tqdm:
        images = [count * size for count, size in self.steps]
        interval = 0.2 if sys.stderr.isatty() else _SECONDS_BETWEEN_LINES_IN_A_FILE
        return tqdm(
            total=sum(images),
            initial=sum(images[:done]),
            unit="img",
            mininterval=interval,
            maxinterval=interval,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(self._batch_size)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        shown = [name for name in ("loss", "val_loss", self.monitor) if name in logs]
        numbers = "  ".join(f"{name} {float(logs[name]):.4f}" for name in shown)
        tqdm.write(f"epoch {epoch + 1}/{len(self.steps)}  {numbers}")

    def close(self) -> None:
        """End the bar where it is."""
        if self._bar is not None:
            self._bar.close()
