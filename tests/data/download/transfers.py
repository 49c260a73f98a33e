"""A file on a server of this machine, and ways to ask for it."""

from dataclasses import replace

import numpy as np
import pytest

from kseg.data.download.errors import DownloadError
from kseg.data.download.transfer import Patience, fetch
from tests.data.download.server import Behaviour, serving

BODY = np.random.default_rng(0).bytes(300_000)
PATIENCE = Patience(attempts=3, wait=0.0, timeout=(5.0, 5.0))


@pytest.fixture
def server():
    with serving(Behaviour({"/a.bin": BODY})) as behaviour:
        yield behaviour


def get(server, part, **options):
    options = {"max_bytes": 10**9, "patience": PATIENCE, **options}
    return fetch(f"{server.url}/a.bin", part, **options)


def interrupted(server, part, kept=100_000):
    """Leave the first bytes in `part`, as an interrupted download does."""
    server.drops[:] = [kept]
    with pytest.raises(DownloadError):
        get(server, part, patience=replace(PATIENCE, attempts=1))
    assert 0 < part.size <= kept
    server.log.clear()


def ranges(server):
    return [range_header for _, range_header, _ in server.log]
