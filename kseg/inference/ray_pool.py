"""A pool of processes that do batches by Ray Data, also where some of them die."""

from __future__ import annotations

import os
import pickle
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Worker = Callable[[list[Any]], list[Row]]

# A task of Ray is this many batches at most: what is done again after a death, and the step in
# which answers come. Each worker gets several tasks, so that all end at about the same time.
BATCHES_PER_TASK, TASKS_PER_WORKER = 8, 16
# Processes in excess of the workers that may die on a machine before the first has its model.
_SPARE_STARTS = 3


class Pool:
    """Processes that do batches.

    Args:
        make_worker: Makes the function that takes a batch and returns a dict for each of its files.
        workers: Number of processes.
        resources: What each of them takes of the cluster, as Ray's options.

    Attributes:
        lost: Numbers of the batches that could not be done, as processes died at them; known once
            all answers of the others are there.
    """

    def __init__(
        self, make_worker: Callable[[], Worker], workers: int, resources: dict[str, Any]
    ) -> None:
        self._make_worker, self._workers, self._resources = make_worker, workers, resources
        self.lost: list[int] = []

    def answers(
        self, batches: list[list[Any]], *, retries: int, queued: int
    ) -> Iterator[tuple[int, list[Row]]]:
        """Yield the number of each batch with its rows, once, as soon as it is done.

        Args:
            batches: The batches.
            retries: How often a task is done again when its process dies.
            queued: Tasks that a process has at a time; what waits dies with what it works on.

        Raises:
            Exception: What left a worker, or came of making it.
        """
        done = bytearray(len(batches))
        results = self._results(batches, retries, queued).iter_rows() if batches else ()
        for row in results:
            number, answer = row["number"], pickle.loads(row["answer"])
            if isinstance(answer, Exception):
                raise answer
            if not done[number]:
                done[number] = 1
                yield number, answer
        self.lost = [number for number, is_done in enumerate(done) if not is_done]

    def _results(self, batches: list[list[Any]], retries: int, queued: int) -> Any:
        import ray.data

        workers = min(self._workers, len(batches))
        per_task = min(BATCHES_PER_TASK, -(-len(batches) // (workers * TASKS_PER_WORKER)))
        packed = [{"number": n, "batch": pickle.dumps(batch)} for n, batch in enumerate(batches)]
        tasks = ray.data.from_items(packed, override_num_blocks=-(-len(batches) // per_task))
        with warnings.catch_warnings():
            # There is no other way yet to limit the retries.
            warnings.simplefilter("ignore", DeprecationWarning)
            results = tasks.map(
                _Process,
                fn_constructor_args=(self._make_worker, os.getcwd(), Starts(workers)),
                compute=ray.data.ActorPoolStrategy(
                    size=workers, max_tasks_in_flight_per_actor=queued
                ),
                max_restarts=-1,
                max_task_retries=retries,
                **self._resources,
            )
        _set_up(results.context)
        return results


def _set_up(context: Any) -> None:
    # A task that no process survives is left out, and is not the end of all; it may take long.
    context.max_errored_blocks = -1
    context.execution_no_progress_timeout_s = -1
    context.enable_progress_bars = False
    context.print_on_execution_start = False


class _Process:
    """A worker in a process of Ray.

    What comes and goes is pickled, as Ray would otherwise make tables of it.
    """

    def __init__(self, make_worker: Callable[[], Worker], folder: str, starts: Starts):
        # Relative paths mean the same as where the command was given, if that is on this machine.
        with suppress(OSError):
            os.chdir(folder)
        self._worker: Worker | Exception
        try:
            starts.begin()
            self._worker = make_worker()
        except Exception as error:  # raised where the answers are read
            self._worker = error
        starts.end()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"number": row["number"], "answer": pickle.dumps(self._answer(row["batch"]))}

    def _answer(self, batch: bytes) -> list[Row] | Exception:
        if isinstance(self._worker, Exception):
            return self._worker
        try:
            return self._worker(pickle.loads(batch))
        except Exception as error:
            return error


class Starts:
    """Counts the processes of a machine that began and did not get as far as having a worker.

    Ray starts a process again for ever when it dies so early, as where the memory is too small.

    Args:
        workers: Number of processes that may begin at the same time.
    """

    def __init__(self, workers: int):
        self._name, self._workers = f"kseg-{uuid.uuid4().hex}", workers

    def begin(self) -> None:
        """Count one more.

        Raises:
            ValueError: There are too many.
        """
        with self._file.open("ab") as file:
            file.write(b".")
        if self._file.stat().st_size > self._workers + _SPARE_STARTS:
            raise ValueError(
                "the processes die while they load the model; see whether there is memory for "
                f"{self._workers} of them, or set --workers to fewer"
            )

    def end(self) -> None:
        """Begin to count anew."""
        self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return Path(tempfile.gettempdir()) / self._name
