"""Addresses and answers that end a download with one sentence."""

import sys
import textwrap

import pytest

from kseg.data.download.errors import DownloadError
from kseg.data.download.part import Part
from kseg.data.download.transfer import fetch
from tests.conftest import ROOT
from tests.data.download import transfers
from tests.data.download.server import Behaviour, serving
from tests.data.download.transfers import BODY, PATIENCE, get

# Fixtures.
server = transfers.server


def test_errors_that_may_pass_are_tried_again(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    server.statuses["/a.bin"] = [503, 500]
    get(server, part)
    assert part.path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("statuses", "message", "requests"),
    [
        ([404] * 9, "answers 404 .*no such file", 1),
        ([403] * 9, "answers 403 .*does not let us", 1),
        ([500] * 9, "answers 500 .*run the command again later", 3),
        ([206] * 9, "answers 206 for the whole file", 1),
    ],
)
def test_a_refusal_is_one_sentence(server, tmp_path, statuses, message, requests):
    server.statuses["/a.bin"] = statuses
    with pytest.raises(DownloadError, match=rf"localhost:\d+/a\.bin: .*{message}"):
        get(server, Part(tmp_path / "a.bin"))
    assert len(server.log) == requests


def test_redirects_are_followed_and_end(server, tmp_path):
    server.redirects["/a.bin"] = "/b.bin"
    server.files["/b.bin"] = b"there"
    part = Part(tmp_path / "a.bin")
    get(server, part)
    assert part.path.read_bytes() == b"there"
    server.redirects["/b.bin"] = "/a.bin"
    with pytest.raises(DownloadError, match="again and again"):
        get(server, Part(tmp_path / "c.bin"))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.zip",
        "http://localhost.example.org/a.zip",
        "ftp://localhost/a.zip",
        "file:///etc/passwd",
        "https:///a.zip",
        "https://[::1/a.zip",
        "/etc/passwd",
    ],
)
def test_only_encrypted_addresses_are_fetched(url, tmp_path):
    with pytest.raises(DownloadError, match="only addresses that begin with https://"):
        fetch(url, Part(tmp_path / "a"), max_bytes=1, patience=PATIENCE)


def test_a_redirect_to_another_machine_by_plain_http_is_refused(server, tmp_path):
    server.redirects["/a.bin"] = "http://example.org/a.bin"
    with pytest.raises(DownloadError, match="only addresses that begin with https://"):
        get(server, Part(tmp_path / "a.bin"))


def test_nobody_listening_is_one_sentence(tmp_path):
    with serving(Behaviour()) as gone:
        pass
    with pytest.raises(DownloadError, match=r"the connection failed \(Connection refused\)"):
        get(gone, Part(tmp_path / "a.bin"))


def test_names_and_passwords_of_an_address_are_not_shown_or_stored(server, tmp_path):
    url = f"{server.url}/secret.bin?key=hidden".replace("://", "://me:hidden@")
    with pytest.raises(DownloadError) as caught:
        fetch(url, Part(tmp_path / "a"), max_bytes=1, patience=PATIENCE)
    assert "hidden" not in str(caught.value)
    server.files["/secret.bin?key=hidden"] = b"body"
    fetch(url, Part(tmp_path / "a"), max_bytes=9, patience=PATIENCE)
    assert not any(b"hidden" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("lengths", [True, False])
def test_more_bytes_than_allowed_are_refused(server, tmp_path, lengths):
    server.lengths = lengths
    part = Part(tmp_path / "a.bin")
    with pytest.raises(DownloadError, match=r"larger than 100\.0 kB; raise --max_gb"):
        get(server, part, max_bytes=100_000)
    assert part.size <= 100_000


def test_a_file_larger_than_the_disk_is_refused_before_it_is_fetched(server, tmp_path):
    server.extra = {"Content-Length": 10**18}
    server.lengths = False
    part = Part(tmp_path / "a.bin")
    with pytest.raises(DownloadError, match=r"GB free but .* needs 1000000000\.0 GB"):
        get(server, part, max_bytes=10**19)
    assert part.size == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_is_one_sentence_and_the_part_is_kept(server, tmp_path, run_script):
    # A limit of the file size takes the place of a full disk.
    code = f"""
        import resource, sys
        from pathlib import Path
        from kseg.data.download.part import Part
        from kseg.data.download.transfer import fetch
        resource.setrlimit(resource.RLIMIT_FSIZE, (131072, 131072))
        try:
            fetch("{server.url}/a.bin", Part(Path("a.bin")), max_bytes=10**9)
        except ValueError as error:
            print(error)
    """
    result = run_script("-c", textwrap.dedent(code), cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert "the disk is full" in result.stdout, result.stderr
    assert "the part that was fetched is kept" in result.stdout
    part = Part(tmp_path / "a.bin")
    assert part.size == 131072
    get(server, part)
    assert part.path.read_bytes() == BODY
