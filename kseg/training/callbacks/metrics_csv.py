"""One row of numbers per epoch."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import keras

from kseg.files import replacing_text


class MetricsCsv(keras.callbacks.Callback):
    """Write the logs of every epoch to a CSV file, replaced as a whole each time.

    Args:
        path: The file.
        first_epoch: Rows of this epoch and later ones are dropped from an earlier file: a
            resumed run does them again.
        writes: False only collects the rows: another process writes them.
    """

    def __init__(self, path: Path, first_epoch: int = 0, *, writes: bool = True):
        super().__init__()
        self.path, self.writes = path, writes
        rows = read_metrics(path) if first_epoch else []
        self.rows: list[dict] = [row for row in rows if row["epoch"] <= first_epoch]

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        rate = float(self.model.optimizer.learning_rate)
        seconds = round(time.perf_counter() - self._start, 2)
        self.rows.append({"epoch": epoch + 1, **numbers, "learning_rate": rate, "seconds": seconds})
        if self.writes:
            self._write()

    def _write(self) -> None:
        with replacing_text(self.path) as file:
            writer = csv.DictWriter(file, list(self.rows[-1]), restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return the rows of a metrics file; the epoch counts from 1."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {
                **{name: float(value) for name, value in row.items() if value},
                "epoch": int(row["epoch"]),
            }
            for row in csv.DictReader(file)
        ]
