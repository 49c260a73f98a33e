"""Archives of strangers: whatever is in them, nothing is written but plain files in one folder."""

import bz2
import gzip
import io
import lzma
import shutil
import struct
import sys
import tarfile
import textwrap
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kseg.data.download.errors import DownloadError
from kseg.data.download.members import Limits
from kseg.data.download.unpack import unpack
from tests.conftest import ROOT
from tests.data.download.archives import (
    BOTH,
    GOOD,
    KINDS,
    Entry,
    files,
    make_tar,
    make_zip,
    refused,
)


@pytest.mark.parametrize("kind", KINDS)
def test_good_archives_are_unpacked_whatever_their_name(place, kind):
    assert place(KINDS[kind](GOOD)) == []
    assert files(place.out) == {entry.name: entry.data for entry in GOOD[1:]}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_single_compressed_file_loses_the_ending_of_its_name(place, compress):
    place(compress(b"volume" * 1000), name="volume.tif.gz")
    assert files(place.out) == {"volume.tif": b"volume" * 1000}


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz"])
def test_bombs_are_refused(place, kind):
    bomb = KINDS[kind]([Entry("bomb", bytes(10**7))])
    assert len(bomb) < 20_000
    refused(place, bomb, r"more than 1\.0 MB, which may be an attack", Limits(size=10**6))


def test_a_small_archive_may_grow_a_hundredfold_or_to_a_gigabyte():
    assert Limits().unpacked(10**6) == 10**9
    assert Limits().unpacked(10**8) == 10**10
    assert Limits().unpacked(10**12) == 50 * 10**9
    assert Limits(size=10**12).unpacked(1) == 10**12


def test_a_size_that_is_not_what_the_archive_says_does_not_help_a_bomb(place):
    packed = make_zip([Entry("bomb", bytes(10**7))])
    lying = packed.replace(struct.pack("<L", 10**7), struct.pack("<L", 1000))
    assert lying != packed
    with pytest.raises(DownloadError):
        place(lying, Limits(size=10**6))
    shutil.rmtree(place.out, ignore_errors=True)
    stream = gzip.compress(b"x" * 10**7)
    refused(place, stream[:-4] + struct.pack("<L", 10), "attack", Limits(size=10**6))


@BOTH
def test_too_many_files_are_refused(place, make):
    limits = Limits(files=100)
    place(make([Entry(str(index), b"x") for index in range(99)]), limits)
    many = make([Entry(str(index), b"x") for index in range(101)])
    shutil.rmtree(place.out)
    refused(place, many, "more than 100 files and folders", limits)


@BOTH
def test_folders_count_too_even_the_same_one_again_and_again(place, make):
    limits = Limits(files=100)
    same = [Entry("a/", type=tarfile.DIRTYPE)] * 101
    refused(place, make_tar(same), "more than 100 files and folders", limits)
    deep = [Entry(f"{index}/a/b/c/d/e", b"x") for index in range(20)]
    refused(place, make(deep), "more than 100 files and folders", limits)


@BOTH
def test_endless_depth_and_length_are_refused(place, make):
    refused(place, make([Entry("a/" * 33 + "b", b"x")]), "more than 32 folders deep")
    refused(place, make([Entry("a" * 300, b"x")]), "too long for this file system")


def test_a_header_of_gigabytes_is_refused_before_it_fills_the_memory(place):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 10**10
    packed = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(10**6))
    refused(place, packed, r"a header of more than 4\.2 MB")


def test_an_index_of_gigabytes_is_refused_before_it_fills_the_memory(place):
    packed = make_zip(GOOD)
    end = packed.rindex(b"PK\x05\x06")
    fields = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 4, 4, 100_000_000, len(packed), 0)
    filler = b"PK\x01\x02" + bytes(100_000_000 - 4)
    refused(place, packed[:end] + filler + fields, "an index of more than 67.1 MB")


def test_headers_of_headers_without_end_are_refused(place):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 0
    refused(place, header.tobuf() * 5000, "damaged")


def test_a_member_of_negative_size_does_not_turn_in_circles(place):
    info = tarfile.TarInfo("a")
    raw = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = b"\xff" * 10 + struct.pack(">h", -1024)
    checksum = sum(raw[:148]) + sum(raw[156:]) + 8 * 32
    raw[148:156] = b"%06o\0 " % checksum
    refused(place, bytes(raw) * 3 + bytes(1024), "")


def test_a_sparse_member_is_refused(place):
    info = tarfile.TarInfo("sparse")
    info.type = tarfile.GNUTYPE_SPARSE
    content = info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    refused(place, content, "")


def test_encrypted_members_are_named(place):
    packed = bytearray(make_zip([Entry("a", b"x")]))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    refused(place, bytes(packed), "the member 'a' is encrypted")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_truncated_archives_are_refused(place, kind, share):
    entries = [Entry(f"{n}.bin", bytes([n * 7 % 251 for _ in range(900)])) for n in range(40)]
    packed = KINDS[kind](entries)
    if kind in ("tar", "gnu"):
        # The last blocks of a tar archive only fill it up.
        packed = packed.rstrip(b"\0")
    refused(place, packed[: int(len(packed) * share)], "")


def test_a_tar_archive_cut_between_two_members_is_refused(place):
    refused(place, make_tar([Entry("a", bytes(512)), Entry("b", b"x")])[:1024], "no end mark")


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz"])
def test_a_flipped_byte_is_noticed(place, kind):
    packed = bytearray(KINDS[kind]([Entry("a", bytes(range(256)) * 50)]))
    packed[len(packed) // 2] ^= 0xFF
    refused(place, bytes(packed), "")


def test_a_damaged_header_in_the_middle_is_no_end(place):
    packed = bytearray(make_tar([Entry("a", b"x"), Entry("b", b"y"), Entry("c", b"z")]))
    packed[1024 + 5] ^= 0xFF
    refused(place, bytes(packed), "no end mark")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no archive of a known kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(600), "no archive of a known kind"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "this is a web page"),
        (make_zip([]), "there is no file in it"),
        (make_tar([]), "no archive of a known kind"),
        (b"\x1f\x8b" + bytes(50), "damaged"),
        (b"PK\x03\x04" + bytes(50), "damaged"),
    ],
)
def test_what_is_no_archive_is_said_in_one_sentence(place, content, message):
    refused(place, content, message)


def test_what_macs_add_is_left_out(place):
    more = [Entry("__MACOSX/set/._a.png", b"x"), Entry("set/images/._a.png", b"x")]
    place(make_zip([*GOOD, *more]))
    assert len(files(place.out)) == 3


def test_a_folder_that_exists_is_not_written_to(place):
    place.out.mkdir()
    (place.out / "mine").write_text("mine")
    archive = place.home / "a.zip"
    archive.write_bytes(make_zip(GOOD))
    with pytest.raises(FileExistsError):
        unpack(archive, place.out)
    assert files(place.out) == {"mine": b"mine"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_is_one_sentence_and_leaves_no_half_of_it(tmp_path, run_script):
    (tmp_path / "a.zip").write_bytes(make_zip([Entry("small", b"x"), Entry("a", bytes(10**6))]))
    code = """
        import resource
        from pathlib import Path
        from kseg.data.download.unpack import unpack
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            unpack(Path("a.zip"), Path("out"))
        except ValueError as error:
            print(error)
    """
    result = run_script("-c", textwrap.dedent(code), cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert "the disk is full" in result.stdout, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


HEALTH = [HealthCheck.function_scoped_fixture]
seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("kind", ["zip", "tar", "gnu", "gz"])
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=HEALTH)
@given(changes=st.lists(st.tuples(seeds, st.integers(0, 255)), min_size=1, max_size=6))
def test_random_damage_never_escapes(place, kind, changes):
    links = [Entry("link", type=tarfile.SYMTYPE, target="set/images/a.png")]
    packed = bytearray(KINDS[kind]([*GOOD, *links]))
    for where, value in changes:
        packed[where % len(packed)] = value
    try:
        place(bytes(packed), Limits(size=10**6, files=100))
    except DownloadError:
        assert not place.out.exists()
    else:
        shutil.rmtree(place.out)


def test_the_archives_of_this_test_are_what_they_seem():
    with zipfile.ZipFile(io.BytesIO(make_zip([Entry("../a", b"x")]))) as packed:
        assert packed.namelist() == ["../a"]
    with tarfile.open(fileobj=io.BytesIO(make_tar([Entry("/a", b"x")]))) as packed:
        assert packed.getnames() == ["/a"]
