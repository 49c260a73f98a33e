"""How the processes of a run end together: each with one sentence, and none waits for ever."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NoReturn

from kseg.training.link import GiveUp, Link
from kseg.training.processes import Place

LOST_EXIT, USAGE_EXIT, INTERRUPTED_EXIT = 1, 2, 130
# A mistake or a bad loss is found by all processes at nearly the same time, and an operation in
# which another process no longer takes part fails before or after the news that it is gone.
_GRACE_SECONDS = 5.0
_FAILED = "ended with an error"

_ending = threading.Lock()


def give_up(place: Place) -> GiveUp:
    """Return what ends this process when another one of the run is gone."""

    def end(sentence: str) -> None:
        if sentence.endswith(_FAILED):
            time.sleep(_GRACE_SECONDS)
        _end(
            place,
            f"{sentence}, so this one ends too; start all of them again, with --resume last if an "
            "epoch was finished",
            LOST_EXIT,
        )

    return end


@contextmanager
def ended_together(link: Link, place: Place) -> Iterator[None]:
    """Keep all processes but the first silent, and end the others with this one."""
    try:
        with _silence(place.rank > 0):
            yield
    except BaseException as error:
        if not isinstance(error, (ValueError, OSError, KeyboardInterrupt)):
            # The cause may be a process that was lost; then that is what is said.
            time.sleep(_GRACE_SECONDS)
        link.fail(f"{place} {_FAILED}")
        _end(place, *_explain(error))
    link.finish()


@contextmanager
def _silence(silent: bool) -> Iterator[None]:
    if not silent:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _explain(error: BaseException) -> tuple[str, int]:
    """Return what to print of an error, and the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED_EXIT
    known = isinstance(error, (ValueError, OSError)) and not os.environ.get("KSEG_TRACEBACK")
    if known:
        return " ".join(str(error).split()), USAGE_EXIT
    return "".join(traceback.format_exception(error)), LOST_EXIT


def _end(place: Place, message: str, code: int) -> NoReturn:
    """End at once: the backend would wait for the other processes at a usual end."""
    with _ending:
        who = "" if place.rank == 0 else f"{place}: "
        print(f"\n{Path(sys.argv[0]).name}: {who}error: {message}", file=sys.__stderr__, flush=True)
        sys.__stdout__ and sys.__stdout__.flush()
        os._exit(code)
