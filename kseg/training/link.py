"""Connections between the processes of a run, so that none waits for one that is gone."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from kseg.training.processes import Place

# Seconds between two signs of life, and without any until a process counts as lost.
BEAT, SILENCE = 5.0, 30.0
_ALIVE, _READY, _DONE, _OVER = "alive", "ready", "done", "over"

GiveUp = Callable[[str], None]


class Peer:
    """The other end of a connection, listened to by a thread.

    Args:
        name: What messages call it.
        connection: The connection.
        lost: Called once, with a sentence, when it is gone or says that the run is over.
    """

    def __init__(self, name: str, connection: socket.socket, lost: GiveUp):
        self.name, self._connection, self._lost = name, connection, lost
        self.ready, self.done = threading.Event(), threading.Event()
        connection.settimeout(SILENCE)
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, *words: str) -> None:
        """Send a message; that nobody is there is found out elsewhere."""
        with suppress(OSError):
            self._connection.sendall((json.dumps(words) + "\n").encode())

    def _listen(self) -> None:
        try:
            for line in self._connection.makefile("r", encoding="utf-8"):
                word, *rest = json.loads(line)
                if word == _OVER:
                    return self._lost(rest[0])
                if word == _READY:
                    self.ready.set()
                if word == _DONE:
                    self.ready.set()
                    return self.done.set()
        except TimeoutError:
            return self._lost(f"{self.name} gave no sign of life for {SILENCE:.0f} s")
        except (OSError, ValueError):
            pass
        return self._lost(f"{self.name} was lost")


class Link:
    """Process 0 is linked with all others, and each of them with process 0.

    The backend's own watch needs 100 seconds and ends a process with native messages.

    Args:
        place: This process. Process 0 listens on the port after the coordinator's.
        give_up: Called with a sentence when another process is gone or failed.
        patience: Seconds to wait for all of them at the start.

    Raises:
        ValueError: They did not come together.
    """

    def __init__(self, place: Place, give_up: GiveUp, patience: float = 300):
        self.place, self._give_up = place, give_up
        self._over = threading.Event()
        found = _wait_for_others if place.rank == 0 else _find_first
        self._peers = [
            Peer(f"process {rank} of {place.count}", connection, self._lost)
            for rank, connection in found(place, time.monotonic() + patience).items()
        ]
        threading.Thread(target=self._beat, daemon=True).start()

    def wait_for_first(self) -> None:
        """Wait until process 0 has said `first_is_ready`."""
        self._peers[0].ready.wait()

    def first_is_ready(self) -> None:
        """Let the others go on that wait for process 0."""
        self._tell(_READY)

    def finish(self) -> None:
        """End as planned: the others wait until process 0 is done too."""
        if self.place.rank == 0:
            self._over.set()
        self._tell(_DONE)
        if self.place.rank:
            self._peers[0].done.wait()
        self._over.set()

    def fail(self, sentence: str) -> None:
        """Tell the others why the run is over."""
        self._over.set()
        self._tell(_OVER, sentence)

    def _lost(self, sentence: str) -> None:
        if not self._over.is_set():
            self.fail(sentence)
            self._give_up(sentence)

    def _tell(self, *words: str) -> None:
        for peer in self._peers:
            peer.tell(*words)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            self._tell(_ALIVE)


def _wait_for_others(place: Place, deadline: float) -> dict[int, socket.socket]:
    """Return the connections of all other processes by their numbers."""
    found: dict[int, socket.socket] = {}
    with _listening(place) as server:
        while len(found) < place.count - 1:
            server.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                missing = sorted(set(range(1, place.count)) - set(found))
                raise ValueError(
                    f"of {place.count} processes these did not come: {missing}; start each with "
                    "its own --process_id and the same --coordinator"
                ) from None
            rank = _read_rank(connection, place.count)
            if rank in found:
                raise ValueError(f"two processes have --process_id {rank}; each needs its own")
            if rank is not None:
                found[rank] = connection
    for connection in found.values():
        connection.sendall(b"welcome\n")
    return found


def _listening(place: Place) -> socket.socket:
    host, port = place.address
    # Only machines that take part should reach it; a host name may have several addresses.
    address = (host if host in ("localhost", "127.0.0.1") else "", port + 1)
    try:
        return socket.create_server(address, backlog=place.count)
    except OSError as error:
        raise ValueError(
            f"process 0 cannot listen on port {port + 1}, which the processes watch each other by "
            f"({error.strerror}); choose another port for --coordinator"
        ) from None


def _read_rank(connection: socket.socket, count: int) -> int | None:
    """Return the number that a process introduces itself with, None for anything else."""
    connection.settimeout(5)
    try:
        name, rank, of = connection.makefile("rb").readline(100).split()
        if (name, int(of)) == (b"kseg", count) and 0 < int(rank) < count:
            return int(rank)
    except (OSError, ValueError):
        pass
    connection.close()
    return None


def _find_first(place: Place, deadline: float) -> dict[int, socket.socket]:
    """Return the connection to process 0, which may start later than this one."""
    host, port = place.address
    while time.monotonic() < deadline:
        with suppress(OSError):
            connection = socket.create_connection((host, port + 1), timeout=5)
            connection.sendall(f"kseg {place.rank} {place.count}\n".encode())
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            if connection.recv(len(b"welcome\n"), socket.MSG_WAITALL) == b"welcome\n":
                return {0: connection}
        time.sleep(0.2)
    raise ValueError(
        f"{place} did not reach process 0 at {host}:{port + 1}; is --coordinator the address of "
        "process 0, and may its port and the next one be reached from here?"
    )
