"""Working on a stream of files with threads, in order and with little in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from kseg.inference.engines.base import cores

Given = TypeVar("Given")
Made = TypeVar("Made")

_WAITING_BATCHES = 4
_MOST_THREADS = 4


def usual_threads() -> int:
    """Return how many threads decode files, and how many write: one per core, at most four."""
    return min(_MOST_THREADS, cores())


def ahead(
    function: Callable[[Given], Made], items: Iterable[Given], *, threads: int, window: int
) -> Iterator[Made]:
    """Yield `function` of each item in order, calculated by threads while the caller works.

    Args:
        function: What to do; its exceptions are raised here.
        items: What to do it with, taken in the thread of the caller.
        threads: Number of threads.
        window: Most items that are begun or done and not yielded yet.
    """
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def in_batches(
    items: Iterable[Given], size: int, key: Callable[[Given], Hashable]
) -> Iterator[list[Given]]:
    """Yield items in lists of one key and at most `size` of them.

    Where keys are so many that lists do not fill, the longest is given away half full, so that
    there are never more than four lists' worth of items waiting.
    """
    groups: dict[Hashable, list[Given]] = {}
    waiting = 0
    for item in items:
        group = groups.setdefault(key(item), [])
        group.append(item)
        waiting += 1
        if len(group) < size and waiting < _WAITING_BATCHES * size:
            continue
        batch = groups.pop(max(groups, key=lambda one: len(groups[one])))
        waiting -= len(batch)
        yield batch
    yield from groups.values()
