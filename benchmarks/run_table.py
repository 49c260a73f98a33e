"""Train the rows of a published table, each by `kseg train` in a process of its own.

What was interrupted goes on where it was; finished rows are left alone. Every row of
`results/table_NAME.csv` says what it was trained with.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli
from result_files import merge_rows, read_rows
from table_rows import COMMANDS, KEY, Row, rows_of

ROOT = Path(__file__).resolve().parents[1]
RECORD = "table_row.json"
# A child that was told to stop may be writing a checkpoint.
_LAST_SECONDS = 20.0
_PAUSE = 0.2


class OutOfTimeError(Exception):
    """The time of this call is over."""


def main(
    table: str,
    rows: list[str] | None = None,
    epochs: int | None = None,
    scale: float = 1.0,
    minutes: float | None = None,
    data_root: str | None = None,
    encoder_weights: str | None = None,
    settings: dict[str, Any] | None = None,
    jobs: int = 1,
    work: str = "weights/tables",
) -> None:
    """Train what is missing of a table.

    Args:
        table: "camvid", "parts", "drive" or "isbi"; the settings are in examples/configs/tables.
        rows: Names of rows, `*` allowed, in the order to train them; by default all.
        epochs: Other number of epochs.
        scale: Height and width are this share of the table's own.
        minutes: Stop after this time; the same command goes on.
        data_root: Where the data are, as for `kseg train`.
        encoder_weights: Folder of ImageNet weights; without it rows with an encoder are left out.
        settings: Other settings for all rows, such as `'{"precision": "mixed_bfloat16"}'`.
        jobs: Rows at a time, for a GPU that one row does not fill. Speeds are then left out.
        work: Where the runs are kept.
    """
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    wanted = rows_of(
        table,
        rows,
        epochs=epochs,
        scale=scale,
        data_root=None if data_root is None else Path(data_root).resolve(),
        encoder_weights=None if encoder_weights is None else Path(encoder_weights).resolve(),
        others=settings,
    )
    runner = Runner(table, Path(work).resolve(), deadline, alone=jobs == 1)
    missing = [row for row in wanted if runner.is_missing(row)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            failed = [name for name in pool.map(runner.run, missing) if name]
        except KeyboardInterrupt:
            runner.stop()
            sys.exit("stopped, the same command goes on")
    if failed:
        sys.exit(f"not finished: {', '.join(failed)}")


class Runner:
    """Runs rows of a table.

    Args:
        table: Name of the table.
        work: Where the runs are kept.
        deadline: When to stop, of `time.monotonic`, or None.
        alone: One row at a time, so that its speed means something.
    """

    def __init__(self, table: str, work: Path, deadline: float | None, *, alone: bool):
        self._table, self._work, self._deadline, self._alone = table, work, deadline, alone
        self._result = f"table_{table}.csv"
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def is_missing(self, row: Row) -> bool:
        """Tell whether a row is to be trained; one that was, also by another call, is recorded."""
        record = row.place(self._work) / RECORD
        if record.is_file():
            self._merge(json.loads(record.read_text("utf-8")))
        if is_finished(row, read_rows(self._result)):
            return False
        if "encoder" in row.settings and "encoder_weights" not in row.changes:
            print(f"{row.name}: left out, it needs --encoder_weights", flush=True)
            return False
        return True

    def run(self, row: Row) -> str:
        """Train and score a row; return its name if that did not end well."""
        place = row.place(self._work)
        place.mkdir(parents=True, exist_ok=True)
        print(f"{row.name}: {row.label}", flush=True)
        try:
            self._call(train_command(row, self._work), place / "train.log")
            self._call(score_command(row, self._work, alone=self._alone), place / "score.log")
        except (OutOfTimeError, subprocess.CalledProcessError) as error:
            print(f"{row.name}: {error}", flush=True)
            return row.name
        scores = json.loads((place / "scores.json").read_text("utf-8"))
        record = {**row.label, **scores}
        (place / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        self._merge(record)
        print(record, flush=True)
        return ""

    def stop(self) -> None:
        """End the rows that are trained now, and begin no others."""
        self._stopped.set()

    def _is_over(self) -> bool:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return late or self._stopped.is_set()

    def _merge(self, record: dict[str, Any]) -> None:
        with self._lock:
            merge_rows(self._result, KEY, [record])

    def _call(self, command: Sequence[str], log: Path) -> None:
        """Run a command until the deadline or `stop`.

        Raises:
            OutOfTimeError: It was ended, or not begun.
            CalledProcessError: It failed.
        """
        if self._is_over():
            raise OutOfTimeError("left for the next call")
        variables = {} if self._alone else {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=output
            )
            while (code := process.poll()) is None:
                if self._is_over():
                    end(process)
                    raise OutOfTimeError("stopped, the next call goes on")
                time.sleep(_PAUSE)
        if code:
            lines = log.read_text("utf-8", errors="replace").strip().splitlines()
            raise subprocess.CalledProcessError(code, (lines or ["it"])[-1][-300:])


def end(process: subprocess.Popen) -> None:
    """Interrupt a process as Ctrl-C does, and kill it if that does not help."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_LAST_SECONDS)
    process.kill()
    process.wait()


def is_finished(row: Row, rows: Sequence[dict[str, str]]) -> bool:
    """Tell whether a result file has a row that was trained with the same settings."""
    wanted = [str(row.label[name]) for name in KEY]
    return any([one[name] for name in KEY] == wanted for one in rows)


def train_command(row: Row, work: Path) -> list[str]:
    """Return the command that trains a row, or goes on with it where a checkpoint is."""
    command = [sys.executable, "-m", "kseg.cli", COMMANDS[row.table], *row.flags(work)]
    return [*command, *(["--resume=last"] if (row.run_path(work) / "last.keras").is_file() else [])]


def score_command(row: Row, work: Path, *, alone: bool) -> list[str]:
    """Return the command that scores a trained row and measures what it costs."""
    script = ROOT / "benchmarks" / "score_row.py"
    output = row.place(work) / "scores.json"
    run = row.run_path(work)
    return [sys.executable, str(script), row.table, str(run), str(output), f"--speed={alone}"]


if __name__ == "__main__":
    auto_cli(main)
