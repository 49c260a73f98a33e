"""What is fetched is what was meant."""

import hashlib

import pytest

from kseg.data.download.checksum import Checksum
from kseg.data.download.errors import DownloadError
from kseg.data.download.fetch_archive import fetch_archive
from kseg.data.download.part import Part
from kseg.data.download.sources import Archive
from tests.data.download import transfers
from tests.data.download.transfers import BODY, PATIENCE, interrupted

# Fixtures.
server = transfers.server


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
