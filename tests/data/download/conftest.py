"""What tests of downloads share: a server of this machine, no proxy, a folder to unpack into."""

import stat

import pytest

from kseg.data.download.unpack import unpack
from tests.data.download.archives import tree
from tests.data.download.server import Behaviour, direct_connections, serving


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    direct_connections(monkeypatch)


@pytest.fixture
def server():
    with serving(Behaviour()) as behaviour:
        yield behaviour


@pytest.fixture
def place(tmp_path):
    """A function that unpacks bytes and asserts that nothing is written but the folder `out`."""
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "victim.txt").write_text("unharmed")

    def run(content, limits=None, name="archive"):
        archive = home / "data" / name
        archive.write_bytes(content)
        before = tree(tmp_path)
        try:
            return unpack(archive, home / "data" / "out", limits)
        finally:
            after = tree(tmp_path)
            assert {k: v for k, v in after.items() if not k.startswith("home/data/out")} == before
            kinds = {kind for kind, _ in after.values()}
            assert kinds <= {stat.S_IFREG, stat.S_IFDIR}

    run.out = home / "data" / "out"
    run.home = home
    return run
