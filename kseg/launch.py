"""`kseg launch`: the processes of one training run on this machine."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from kseg.config import LaunchConfig

# Time for the others to find out and say what went wrong, and then to end when told so.
_OWN_END_SECONDS, _TOLD_END_SECONDS = 8.0, 5.0
_USAGE_EXIT = 2
_SHOWN_BYTES = 8000


def launch(config: LaunchConfig) -> None:
    """Start the processes, wait for them, and exit with the code of the first that failed.

    Raises:
        ValueError: There is no such script or command.
        SystemExit: A process failed.
    """
    command = command_line(list(config.command))
    with ExitStack() as stack:
        workers = Workers(command, config.processes, stack)
        code = workers.wait()
    if code:
        sys.exit(code)


def command_line(words: Sequence[str]) -> list[str]:
    """Return what to run for a script or a command of kseg.

    Raises:
        ValueError: There is no such script or command.
    """
    from kseg.cli import COMMANDS

    name, *flags = words
    if name in COMMANDS:
        return [sys.executable, "-m", "kseg.cli", name, *flags]
    for script in (Path(name), Path(sys.argv[0]).parent / name):
        if script.is_file():
            return [sys.executable, str(script), *flags]
    raise ValueError(f"{name}: there is no such script, and no such command of kseg")


def free_port() -> int:
    """Return a free port whose successor is free too: processes need both."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second, suppress(OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 1))
            return port
    raise ValueError("there are no two free ports in a row on this machine")


class Workers:
    """Running processes that end together.

    Args:
        command: What each of them runs.
        count: How many.
        stack: Ends what is left of them when it is closed.
    """

    def __init__(self, command: Sequence[str], count: int, stack: ExitStack):
        self._ended: queue.Queue[tuple[int, int]] = queue.Queue()
        self._processes: list[subprocess.Popen] = []
        self._outputs: list[BinaryIO | None] = []
        stack.callback(self._end_all)
        # A stop signal ends the processes too, not only this one.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        stack.callback(signal.signal, signal.SIGTERM, before)
        port = free_port()
        for rank in range(count):
            # Only the first process has the screen; what the others say is kept for an error.
            keep = tempfile.TemporaryFile if rank else nullcontext
            output = stack.enter_context(keep())
            self._outputs.append(output)
            self._processes.append(_start(command, _variables(rank, count, port), output))
        for rank, process in enumerate(self._processes):
            threading.Thread(target=self._watch, args=(rank, process), daemon=True).start()

    def wait(self) -> int:
        """Wait for all processes; return the exit code of the first that failed, else 0."""
        for _ in self._processes:
            rank, code = self._ended.get()
            if code:
                self._wait_for_ends()
                self._end_all()
                return self._report(rank, code)
        return 0

    def _watch(self, rank: int, process: subprocess.Popen) -> None:
        self._ended.put((rank, process.wait()))

    def _wait_for_ends(self) -> None:
        deadline = time.monotonic() + _OWN_END_SECONDS
        while time.monotonic() < deadline and any(p.poll() is None for p in self._processes):
            time.sleep(0.05)

    def _end_all(self) -> None:
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + _TOLD_END_SECONDS
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
            process.kill()
            process.wait()

    def _report(self, rank: int, code: int) -> int:
        first = self._processes[0].returncode
        # Mistakes in flags and data are found by all; what the first one said is on the screen.
        if first != code:
            self._show_output(rank)
        if not first == code == _USAGE_EXIT:
            name = f"process {rank} of {len(self._processes)}"
            print(f"launch: error: {name} {_ending(code)}; all others were ended", file=sys.stderr)
        return code if code > 0 else 128 - code

    def _show_output(self, rank: int) -> None:
        output = self._outputs[rank]
        if output is None:
            return
        size = output.seek(0, os.SEEK_END)
        output.seek(max(size - _SHOWN_BYTES, 0))
        for line in output.read().decode(errors="replace").splitlines():
            print(f"process {rank}: {line}", file=sys.stderr)


def _start(
    command: Sequence[str], variables: dict[str, str], output: BinaryIO | None
) -> subprocess.Popen:
    # In a session of their own Ctrl-C reaches the launcher only, which ends them in its own way.
    return subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _variables(rank: int, count: int, port: int) -> dict[str, str]:
    """Return the environment variables that torchrun sets, too."""
    return {
        "WORLD_SIZE": str(count),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }


def _ending(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"
