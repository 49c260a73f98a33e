"""Streams of work done by threads, in order and with little in memory."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.inference.threads import ahead, in_batches


def test_threads_work_ahead_in_order_and_not_too_far():
    begun, lock = [], threading.Lock()

    def slow_first(number):
        with lock:
            begun.append(number)
        time.sleep(0.02 if number == 0 else 0)
        return number

    results = ahead(slow_first, iter(range(100)), threads=3, window=5)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    assert max(begun) < 4 + 5
    results.close()
    assert list(ahead(str, range(7), threads=2, window=50)) == list("0123456")


def test_an_error_in_a_thread_is_raised_where_the_results_are_read():
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda number: 1 // number, [2, 1, 0, 5], threads=2, window=2))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 5))
def test_batches_have_one_key_and_lose_nothing(keys, size):
    taken = 0

    def items():
        nonlocal taken
        for item in enumerate(keys):
            taken += 1
            yield item

    given_away = 0
    batches = []
    for batch in in_batches(items(), size, lambda item: item[1]):
        assert taken - given_away <= 4 * size
        given_away += len(batch)
        batches.append(batch)
    assert sorted(item for batch in batches for item in batch) == list(enumerate(keys))
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert len({key for _, key in batch}) == 1
        assert batch == sorted(batch)
