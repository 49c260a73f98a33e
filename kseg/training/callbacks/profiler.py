"""A trace of some training steps, for TensorBoard's Profile tab."""

from __future__ import annotations

from pathlib import Path

import keras


class ProfilerTrace(keras.callbacks.Callback):
    """Record what processor and device do in a few steps of this start.

    Keras' own `TensorBoard` callback can do it only together with a writer of TensorFlow's; what
    starts and stops the trace is Keras' for both.

    Args:
        folder: The trace goes to `plugins/profile` below.
        first_step: First step to record, from 0; the first ones compile.
        steps: Number of steps to record.

    Raises:
        ValueError: The backend is PyTorch, for which Keras has no profiler.
    """

    def __init__(self, folder: Path, first_step: int = 3, steps: int = 5):
        super().__init__()
        # Public in Keras is only the callback that needs TensorFlow.
        from keras.src import backend

        if not hasattr(backend, "tensorboard"):
            raise ValueError(
                "--profile: Keras has no profiler for the backend "
                f"{keras.backend.backend()}; leave the flag out, or set KERAS_BACKEND to "
                "tensorflow or jax"
            )
        self._profiler = backend.tensorboard
        self.folder, self.first_step, self.steps = folder, first_step, steps

    def on_train_begin(self, logs=None):
        self._done, self._recording = 0, False

    def on_train_batch_begin(self, batch, logs=None):
        if self._done == self.first_step:
            self._profiler.start_trace(str(self.folder))
            self._recording = True

    def on_train_batch_end(self, batch, logs=None):
        self._done += 1
        if self._done == self.first_step + self.steps:
            self._stop()

    def on_train_end(self, logs=None):
        self._stop()
        if self._done <= self.first_step:
            print(
                f"warning: nothing was profiled; the trace begins after {self.first_step} steps "
                f"and there were {self._done}"
            )

    def _stop(self) -> None:
        if self._recording:
            self._profiler.stop_trace(save=True)
            self._recording = False
