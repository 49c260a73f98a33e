"""What all tests of downloads need: servers of this machine, reached without a proxy."""

import pytest

from tests.data.download.server import Behaviour, direct_connections, serving


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    direct_connections(monkeypatch)


@pytest.fixture
def server():
    with serving(Behaviour()) as behaviour:
        yield behaviour
