"""Fetching one file from a server that drops, changes, lies or refuses."""

import hashlib
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from kseg.data.download.checksum import Checksum
from kseg.data.download.errors import DownloadError
from kseg.data.download.fetch_archive import fetch_archive
from kseg.data.download.part import Part
from kseg.data.download.sources import Archive
from kseg.data.download.transfer import Patience, fetch
from tests.conftest import ROOT
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


def test_a_whole_file_comes_in_one_request(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    assert not get(server, part)
    assert part.path.read_bytes() == BODY
    assert ranges(server) == [None]


def test_a_dropped_connection_is_gone_on_with_until_the_file_is_whole(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    server.drops[:] = [140_000, 70_000, 70_000]
    assert get(server, part)
    assert part.path.read_bytes() == BODY
    assert [status for *_, status in server.log] == [200, 206, 206, 206]


def test_bytes_of_an_earlier_run_are_not_fetched_again(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    interrupted(server, part)
    kept = part.size
    get(server, part)
    assert part.path.read_bytes() == BODY
    assert ranges(server) == [f"bytes={kept}-"]


def test_a_file_that_was_complete_is_not_asked_for(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    get(server, part)
    server.log.clear()
    get(server, part)
    assert server.log == []


def test_a_date_serves_where_there_is_no_etag(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    server.etag, server.modified = None, "Wed, 21 Oct 2015 07:28:00 GMT"
    interrupted(server, part)
    get(server, part)
    assert part.path.read_bytes() == BODY
    assert server.log[0][2] == 206


@pytest.mark.parametrize(
    "change",
    [
        {"etag": '"two"'},
        {"etag": None, "modified": "Thu, 22 Oct 2015 07:28:00 GMT"},
        {"ranges": False},
    ],
)
def test_a_changed_file_and_a_server_without_ranges_start_anew(server, tmp_path, change):
    part = Part(tmp_path / "a.bin")
    server.modified = "Wed, 21 Oct 2015 07:28:00 GMT"
    interrupted(server, part)
    server.files["/a.bin"] = new = BODY[::-1]
    for name, value in change.items():
        setattr(server, name, value)
    get(server, part)
    assert part.path.read_bytes() == new


@pytest.mark.parametrize("lie", [{"ETag": '"two"'}, {"Content-Range": "bytes 5-299999/300000"}])
def test_a_part_that_does_not_fit_is_dropped(server, tmp_path, lie):
    # The server ignores If-Range and sends the rest of something else.
    part = Part(tmp_path / "a.bin")
    interrupted(server, part)
    server.extra = lie
    get(server, part)
    assert part.path.read_bytes() == BODY
    assert server.log[-1][1:] == (None, 200)


def test_without_any_mark_of_the_version_it_starts_anew(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    server.etag = None
    interrupted(server, part)
    get(server, part)
    assert part.path.read_bytes() == BODY
    assert ranges(server) == [None]


def test_a_shorter_file_on_the_server_starts_anew(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    interrupted(server, part)
    server.files["/a.bin"] = BODY[:50]
    get(server, part)
    assert part.path.read_bytes() == BODY[:50]
    assert [status for *_, status in server.log] == [416, 200]


def test_another_address_starts_anew(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    interrupted(server, part)
    server.files["/b.bin"] = b"other"
    fetch(f"{server.url}/b.bin", part, max_bytes=10**9, patience=PATIENCE)
    assert part.path.read_bytes() == b"other"


def test_a_server_that_only_drops_is_given_up_with_what_came_kept(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    server.drops[:] = [70_000] + [0] * 10
    message = r"a\.bin: the connection .* of 300\.0 kB are kept, run the command again to go on"
    with pytest.raises(DownloadError, match=message):
        get(server, part)
    assert 0 < part.size <= 70_000
    assert len(server.log) == 3


def test_a_server_without_ranges_that_drops_does_not_go_on_for_ever(server, tmp_path):
    server.ranges = False
    server.drops[:] = [70_000] * 100
    with pytest.raises(DownloadError):
        get(server, Part(tmp_path / "a.bin"))
    assert len(server.log) <= 4


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


def archive(server, checksum=None, *more):
    return Archive("a.bin", [f"{server.url}/a.bin", *more], checksum)


def obtain(one, folder, said=None):
    say = (said if said is not None else []).append
    return fetch_archive(one, folder, max_bytes=10**9, patience=PATIENCE, say=say)


SHA256 = Checksum("sha256", hashlib.sha256(BODY).hexdigest())
MD5 = Checksum("md5", hashlib.md5(BODY).hexdigest())
WRONG = Checksum("sha256", "0" * 64)


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_right_checksum_gives_the_file_which_is_not_fetched_twice(server, tmp_path, checksum):
    one = archive(server, checksum)
    assert obtain(one, tmp_path).read_bytes() == BODY
    server.log.clear()
    assert obtain(one, tmp_path).read_bytes() == BODY
    assert server.log == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_wrong_checksum_is_an_error_and_the_file_is_put_aside(server, tmp_path):
    message = r"a\.bin has sha256 \w+ and not the 0+: it was damaged or changed; nothing was"
    with pytest.raises(DownloadError, match=message):
        obtain(archive(server, WRONG), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin.wrong"]


def test_pieces_that_do_not_belong_together_are_fetched_once_more_as_a_whole(server, tmp_path):
    part = Part(tmp_path / "a.bin")
    interrupted(server, part)
    part.path.write_bytes(bytes(part.size))
    assert obtain(archive(server, SHA256), tmp_path).read_bytes() == BODY
    assert [status for *_, status in server.log] == [206, 200]


def test_a_damaged_file_that_is_there_is_fetched_again(server, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"damaged")
    said = []
    assert obtain(archive(server, SHA256), tmp_path, said).read_bytes() == BODY
    assert "damaged or changed; fetching it again" in said[0]


def test_a_second_address_helps_where_the_first_fails(server, tmp_path):
    server.files["/copy.bin"] = BODY
    server.files["/a.bin"] = b"something else"
    one = archive(server, SHA256, f"{server.url}/copy.bin")
    assert obtain(one, tmp_path).read_bytes() == BODY


def test_all_addresses_that_failed_are_named(server, tmp_path):
    one = archive(server, SHA256, f"{server.url}/copy.bin")
    del server.files["/a.bin"]
    with pytest.raises(DownloadError, match=r"/a\.bin: .* 404 .*; and .*/copy\.bin: .* 404"):
        obtain(one, tmp_path)


def test_the_first_checksum_is_recorded_and_holds_for_later_downloads(server, tmp_path):
    said = []
    one = archive(server)
    obtain(one, tmp_path, said)
    record = tmp_path / "a.bin.sha256"
    assert record.read_text() == f"{SHA256.value}  a.bin\n"
    assert "no checksum is published" in said[-1]
    (tmp_path / "a.bin").unlink()
    obtain(one, tmp_path, said)
    assert "that of the first download" in said[-1]
    (tmp_path / "a.bin").unlink()
    server.files["/a.bin"], server.etag = BODY[::-1], '"two"'
    with pytest.raises(DownloadError, match="sha256 has from the first download: .*delete that"):
        obtain(one, tmp_path)
    assert not (tmp_path / "a.bin").exists()


@pytest.mark.parametrize("text", ["", "nonsense", "0" * 63])
def test_a_damaged_record_is_named(server, tmp_path, text):
    (tmp_path / "a.bin.sha256").write_text(text)
    with pytest.raises(DownloadError, match=r"a\.bin\.sha256: .* 64 digits .*delete the file"):
        obtain(archive(server), tmp_path)
