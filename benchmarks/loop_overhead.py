"""Seconds per epoch of a training run beside a bare Keras fit on the same model and batches.

What is added: progress, scores of the confusion matrix, metrics.csv, TensorBoard with pictures, and
checkpoints. One after the other in one process; the medians of the epochs count.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from result_files import write_rows  # noqa: E402

from kseg.config import TrainConfig  # noqa: E402
from kseg.runs import RunFolder  # noqa: E402

RESULT = "loop_overhead.csv"


class Epochs(keras.callbacks.Callback):
    """Notes how long each epoch takes, from the end of one to the end of the next."""

    def __init__(self):
        super().__init__()
        self.ends: list[float] = []

    def on_epoch_end(self, epoch, logs=None):
        """Note the time."""
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Seconds of each epoch but the first, which compiles."""
        return [end - start for start, end in zip(self.ends, self.ends[1:], strict=False)]


def main(
    model: str = "unet", size: int = 224, images: int = 160, batch: int = 4, epochs: int = 4
) -> None:
    """Time whole epochs of both.

    Args:
        model: Registered name.
        size: Height and width of the images.
        images: Training images.
        batch: Images per step.
        epochs: Epochs of each; the first does not count.
    """
    from kseg.data.parts import write_parts

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_parts(root / "parts", size=(size, size), train=images, val=8, test=8)
        config = TrainConfig(
            model_name=model,
            data_root=str(root),
            train_save_path=str(root / "weights"),
            input_height=size,
            input_width=size,
            train_batch_size=batch,
            epochs=epochs,
            validate=False,
        )
        ours, bare = ours_and_bare(config)
    row = {
        "model": model,
        "size": size,
        "batch_size": batch,
        "steps_per_epoch": images // batch,
        "backend": keras.backend.backend(),
        "bare_seconds": round(statistics.median(bare), 2),
        "run_seconds": round(statistics.median(ours), 2),
        "overhead_percent": round(100 * (statistics.median(ours) / statistics.median(bare) - 1), 2),
    }
    print(row)
    write_rows(RESULT, [row])


def ours_and_bare(config: TrainConfig) -> tuple[list[float], list[float]]:
    """Return the seconds of the epochs of a run and of a bare fit."""
    from kseg.training.distribution import joined
    from kseg.training.trainer import prepare

    run = RunFolder(config.run_path)
    run.create(overwrite=False)
    timed = Epochs()
    with joined(config) as job:
        fitting = prepare(config, run, job)
    loader = fitting.training
    callbacks = fitting._callbacks

    fitting._callbacks = lambda *arguments: [*callbacks(*arguments), timed]
    fitting.fit()
    plain = keras.models.clone_model(fitting.model)
    plain.compile("adam", fitting.loss, jit_compile=fitting.model.jit_compile)
    bare = Epochs()
    plain.fit(loader, epochs=config.epochs, shuffle=False, verbose=0, callbacks=[bare])
    return timed.seconds, bare.seconds


if __name__ == "__main__":
    auto_cli(main)
