"""Processes notice when one of them is lost, and wait for each other."""

import socket
import threading
import time

import pytest

from kseg.launch import free_port
from kseg.training import link as link_module
from kseg.training.link import Link
from kseg.training.processes import Place


class Linked:
    """Linked processes, each played by a thread, and what they gave up with."""

    def __init__(self, count):
        self.address = f"127.0.0.1:{free_port()}"
        self.sentences = [[] for _ in range(count)]
        self.links = [None] * count
        threads = [threading.Thread(target=self._open, args=(r, count)) for r in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _open(self, rank, count):
        place = Place(rank, count, self.address)
        self.links[rank] = Link(place, self.sentences[rank].append, patience=20)

    def wait_for_sentences(self, *ranks):
        deadline = time.monotonic() + 20
        while not all(self.sentences[rank] for rank in ranks):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return [self.sentences[rank] for rank in ranks]


def hang_up(link):
    """What the kernel does for a killed process, which says nothing any more."""
    link._over.set()
    for peer in link._peers:
        peer._connection.shutdown(socket.SHUT_RDWR)


def test_all_are_told_who_was_lost():
    linked = Linked(3)
    hang_up(linked.links[2])
    assert linked.wait_for_sentences(0, 1) == [["process 2 of 3 was lost"]] * 2


def test_a_lost_first_process_is_noticed_by_all():
    linked = Linked(3)
    hang_up(linked.links[0])
    assert linked.wait_for_sentences(1, 2) == [["process 0 of 3 was lost"]] * 2


def test_a_silent_process_counts_as_lost(monkeypatch):
    monkeypatch.setattr(link_module, "SILENCE", 0.4)
    monkeypatch.setattr(link_module, "BEAT", 0.05)
    linked = Linked(2)
    linked.links[1]._over.set()  # sends nothing any more
    (sentences,) = linked.wait_for_sentences(0)
    assert sentences[0].startswith("process 1 of 2 gave no sign of life for 0 s")


def test_an_error_of_one_is_told_to_all_others():
    linked = Linked(3)
    linked.links[1].fail("process 1 of 3 ended with an error")
    expected = [["process 1 of 3 ended with an error"]] * 2
    assert linked.wait_for_sentences(0, 2) == expected
    assert not linked.sentences[1]


def test_the_others_wait_for_the_first_one_and_end_with_it():
    linked, order = Linked(2), []

    def second():
        linked.links[1].wait_for_first()
        order.append("goes on")
        linked.links[1].finish()
        order.append("ended")

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.1)
    order.append("ready")
    linked.links[0].first_is_ready()
    time.sleep(0.1)
    order.append("done")
    linked.links[0].finish()
    thread.join(20)
    assert order == ["ready", "goes on", "done", "ended"]
    time.sleep(0.1)
    assert linked.sentences == [[], []]


def test_a_process_that_does_not_come_is_named():
    place = Place(0, 3, f"127.0.0.1:{free_port()}")
    with pytest.raises(ValueError, match=r"of 3 processes these did not come: \[1, 2\]"):
        Link(place, print, patience=0.2)
    with pytest.raises(ValueError, match="process 1 of 3 did not reach process 0 at 127.0.0.1"):
        Link(Place(1, 3, place.coordinator), print, patience=0.2)


def test_a_port_in_use_is_named():
    port = free_port()
    message = f"process 0 cannot listen on port {port + 1}"
    taken = socket.create_server(("127.0.0.1", port + 1))
    with taken, pytest.raises(ValueError, match=message):
        Link(Place(0, 2, f"127.0.0.1:{port}"), print)
