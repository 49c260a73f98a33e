"""The same work on many files: in this process, or by Ray Data in several, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from kseg.inference.ray_cluster import connected, require_ray

Item = TypeVar("Item")
Row = dict[str, Any]
Worker = Callable[[list[Item]], list[Row]]


def run_files(
    files: Sequence[Item],
    make_worker: Callable[[], Worker[Item]],
    *,
    engine: Literal["local", "ray"] = "local",
    workers: int = 2,
    batch_size: int = 4,
    address: str | None = None,
) -> Iterator[Row]:
    """Give files to workers in batches, and yield one row per file as soon as its batch is done.

    Batches are the same with both engines. With "ray" a batch whose process died is done again by
    another one, so files should be written with `kseg.files.replacing`; its rows come once.

    Args:
        files: What to work on: paths, or anything that can be pickled and whose `str` names a file.
        make_worker: Makes the function that works: it takes a list of at most `batch_size` files
            and returns a dict for each. With "ray" it is called in every process and must be
            picklable.
        engine: "local", one batch after the other in this process, or "ray", in any order.
        workers: Processes of engine "ray".
        batch_size: Files per call of the worker.
        address: Ray cluster to work on; by default one that is started for this call.

    Returns:
        Dicts of the worker with the file as "file" and an "error", None where it gave none. A file
        at which processes die again and again has a sentence as "error" and nothing else. Where an
        exception leaves the worker, it is raised.

    Raises:
        ValueError: Ray is not installed, no cluster is at `address`, or it is too small.
    """
    batches = [list(files[i : i + batch_size]) for i in range(0, len(files), batch_size)]
    if engine == "local":
        return _run_here(batches, make_worker)
    require_ray()
    return _run_on_ray(batches, make_worker, workers, address)


def _run_here(batches: list[list[Item]], make_worker: Callable[[], Worker[Item]]) -> Iterator[Row]:
    worker = make_worker()
    for batch in batches:
        yield from _complete(batch, worker(batch))


def _complete(batch: list[Item], rows: list[Row]) -> Iterator[Row]:
    for file, row in zip(batch, rows, strict=True):
        yield {"file": file, "error": None, **row}


def _run_on_ray(
    batches: list[list[Item]],
    make_worker: Callable[[], Worker[Item]],
    workers: int,
    address: str | None,
) -> Iterator[Row]:
    from kseg.inference.ray_pool import Pool

    with connected(address, workers) as resources:
        pool = Pool(make_worker, workers, resources)
        for number, rows in pool.answers(batches, retries=1, queued=2):
            yield from _complete(batches[number], rows)
        # One file may be to blame for all of them. None waits behind it now, to die with it.
        alone = [[file] for number in pool.lost for file in batches[number]]
        for number, rows in pool.answers(alone, retries=2, queued=1):
            yield from _complete(alone[number], rows)
        for number in pool.lost:
            (file,) = alone[number]
            yield {"file": file, "error": f"{file}: every process that worked on it died"}
