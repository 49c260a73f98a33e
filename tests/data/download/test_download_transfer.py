"""Fetching one file from a server that drops, changes or lies."""

import pytest

from kseg.data.download.errors import DownloadError
from kseg.data.download.part import Part
from kseg.data.download.transfer import fetch
from tests.data.download import transfers
from tests.data.download.transfers import BODY, PATIENCE, get, interrupted, ranges

# Fixtures.
server = transfers.server


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
