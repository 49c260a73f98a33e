"""Several networks, each in a process of its own, that work in turn.

Frameworks do not share a process well: each has its threads and its memory. And a machine is not
always equally fast: only what was measured in turn, in one run, can be compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

_SCRIPT = Path(__file__).with_name("contestant.py")
_LONGEST = 900.0  # seconds for an answer
# What JAX would otherwise take of a GPU that others need too.
_SHARED_GPU = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


@contextmanager
def contestant(
    name: str, spec: Mapping[str, Any], variables: Mapping[str, str] | None = None
) -> Iterator[Contestant]:
    """Start the process of a network, and end it at the end of the block.

    Args:
        name: What rows call it.
        spec: See `Side`.
        variables: Environment variables of the process, such as `KERAS_BACKEND`.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **_SHARED_GPU, **(variables or {})},
        )
        try:
            yield Contestant(name, spec, process, errors)
        finally:
            process.kill()
            process.wait()


class Contestant:
    """A network in a process of its own, see `contestant`.

    Args:
        name: What rows call it.
        spec: See `Side`.
        process: The process, which reads commands and writes answers.
        errors: What it writes to the standard error.
    """

    def __init__(
        self, name: str, spec: Mapping[str, Any], process: subprocess.Popen, errors: BinaryIO
    ):
        self.name, self.spec = name, dict(spec)
        self.error = ""
        self._process, self._errors = process, errors
        self._tell(self.spec)

    def ask(self, command: str, **options: Any) -> Any:
        """Let it do something and return the answer; None if it ended, and `error` says why."""
        if self.error:
            return None
        self._tell({"do": command, **options})
        timer = threading.Timer(_LONGEST, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if line:
            return json.loads(line)
        self.error = f"{command}: {self._reason()}"
        return None

    @property
    def cpu_seconds(self) -> float:
        """Time that the process has had of all processors."""
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def _tell(self, message: Mapping[str, Any]) -> None:
        # Where the process has ended, reading its answer will tell.
        with suppress(BrokenPipeError):
            print(json.dumps(message), file=self._process.stdin, flush=True)

    def _reason(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        named = [line for line in lines if "Error" in line or "EXHAUSTED" in line]
        return (named or [f"ended with code {code}"])[-1][:200]


def in_turns(
    contestants: Sequence[Contestant], command: str, *, seconds: float, rounds: int
) -> dict[str, list[float]]:
    """Let each do something for some seconds, round after round; return all times by name."""
    times: dict[str, list[float]] = {one.name: [] for one in contestants}
    for turn in range(rounds):
        # Nobody is always the first after the others.
        for one in (*contestants[turn:], *contestants[:turn]):
            times[one.name] += one.ask(command, seconds=seconds) or []
    return times


class OtherWork:
    """How busy the machine was with other processes, for the rows of a comparison.

    Args:
        contestants: The processes that are measured.
    """

    def __init__(self, contestants: Sequence[Contestant]):
        self._contestants = contestants
        self._start = self._now()

    def percent(self) -> int:
        """Return the share of all processors' time that others took since the beginning."""
        (busy, own, total), (busy0, own0, total0) = self._now(), self._start
        others = (busy - busy0) - (own - own0)
        return round(100 * max(0.0, others) / max(total - total0, 1e-9))

    def _now(self) -> tuple[float, float, float]:
        ticks = os.sysconf("SC_CLK_TCK")
        first, *_ = Path("/proc/stat").read_text().splitlines()
        times = [int(field) / ticks for field in first.split()[1:9]]
        idle = times[3] + times[4]
        own = sum(one.cpu_seconds for one in self._contestants)
        return sum(times) - idle, own, sum(times)
