"""Names and links in archives of strangers that lead out of the folder."""

import ntpath
import posixpath
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.download.errors import DownloadError
from kseg.data.download.members import member_path
from tests.data.download.archives import BOTH, GOOD, Entry, files, make_tar, make_zip, refused

HOSTILE_NAMES = [
    "../victim.txt",
    "a/../../victim.txt",
    "a/../b",
    "/tmp/kseg-victim",
    "//server/share/x",
    "..\\victim.txt",
    "\\victim.txt",
    "C:\\victim.txt",
    "C:victim.txt",
    "c:/victim.txt",
    "\\\\server\\share\\victim.txt",
    ".. /victim.txt",
    ".../victim.txt",
    "a/. ./b",
]


@BOTH
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_lead_out_are_refused(place, make, name):
    refused(place, make([*GOOD, Entry(name, b"evil")]), "lies outside the folder")


@BOTH
@pytest.mark.parametrize("name", ["../out2/", "/tmp/kseg-folder/"])
def test_folders_that_lie_outside_are_refused(place, make, name):
    refused(place, make([Entry(name, type=tarfile.DIRTYPE)]), "lies outside the folder")


@BOTH
@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\nb", "a\x7fb"])
def test_names_with_control_characters_are_refused_and_quoted(place, make, name):
    with pytest.raises(DownloadError, match="has control characters") as caught:
        place(make([Entry(name, b"x")]))
    assert str(caught.value).isprintable()


def test_names_with_a_nul_are_refused(place):
    refused(place, make_zip([Entry("good.png\0/../../evil", b"x")]), "control characters")
    record = b"path=good.png\0/../evil\n"
    assert len(record) == 23
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 26
    pax = header.tobuf(tarfile.USTAR_FORMAT) + (b"26 " + record).ljust(512, b"\0")
    refused(place, pax + make_tar([Entry("x", b"x")]), "control characters")


LINKS = [
    ("../../victim.txt", tarfile.SYMTYPE),
    ("/etc/passwd", tarfile.SYMTYPE),
    ("..\\..\\victim.txt", tarfile.SYMTYPE),
    ("C:\\victim.txt", tarfile.SYMTYPE),
    ("a/../../../victim.txt", tarfile.SYMTYPE),
    ("../victim.txt", tarfile.LNKTYPE),
    ("/etc/passwd", tarfile.LNKTYPE),
]


@pytest.mark.parametrize(("target", "kind"), LINKS)
def test_links_that_lead_out_are_refused(place, target, kind):
    entry = Entry("set/link", type=kind, target=target)
    refused(place, make_tar([entry, *GOOD]), "points out of the folder")
    if kind == tarfile.SYMTYPE:
        refused(place, make_zip([entry, *GOOD]), "points out of the folder")


def test_a_link_to_the_folder_above_does_not_carry_a_file_out(place):
    entries = [
        Entry("way", type=tarfile.SYMTYPE, target="."),
        Entry("way/out", type=tarfile.SYMTYPE, target=".."),
        Entry("way/out/victim.txt", b"evil"),
    ]
    # `way` is a folder here, never a link.
    with pytest.raises(DownloadError):
        place(make_tar([Entry("way/out", type=tarfile.SYMTYPE, target="../..")]))
    place(make_tar([*GOOD, *entries]))
    assert files(place.out)["way/out/victim.txt"] == b"evil"
    assert (place.home / "victim.txt").read_text() == "unharmed"


@BOTH
def test_links_inside_become_copies_and_others_are_left_out(place, make):
    entries = [
        Entry("set/first.png", type=tarfile.SYMTYPE, target="images/a.png"),
        Entry("set/second.png", type=tarfile.SYMTYPE, target="first.png"),
        Entry("set/loop.png", type=tarfile.SYMTYPE, target="loop.png"),
        Entry("set/folder", type=tarfile.SYMTYPE, target="images"),
        *GOOD,
    ]
    assert place(make(entries)) == ["set/loop.png", "set/folder"]
    assert files(place.out)["set/first.png"] == b"image"
    assert files(place.out)["set/second.png"] == b"image"


def test_hard_links_become_copies(place):
    link = Entry("copy.png", type=tarfile.LNKTYPE, target="set/images/a.png")
    place(make_tar([*GOOD, link]))
    assert files(place.out)["copy.png"] == b"image"


@BOTH
@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_devices_are_refused(place, make, kind):
    refused(place, make([*GOOD, Entry("device", type=kind)]), "is a device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@BOTH
@pytest.mark.parametrize("name", ["set/images/a.png", "set//images/./a.png", "set\\images\\a.png"])
def test_a_name_that_is_there_twice_is_refused(place, make, name):
    refused(place, make([*GOOD, Entry(name, b"other")]), "is there twice")


@BOTH
def test_a_file_that_is_a_folder_too_is_refused(place, make):
    refused(place, make([Entry("a", b"x"), Entry("a/b", b"y")]), "both a file and a folder")
    refused(place, make([Entry("a/b", b"y"), Entry("a", b"x")]), "is there twice")


names = st.text(st.sampled_from("ab./\\: \0é~") | st.characters(max_codepoint=300), max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(names)
def test_every_name_that_is_taken_stays_inside_on_unix_and_windows(name):
    try:
        path = str(member_path(name))
    except DownloadError:
        return
    for kind, root in ((posixpath, "/r/out"), (ntpath, "C:\\r\\out")):
        full = kind.normpath(kind.join(root, path))
        assert kind.commonpath([root, full]) == root
    assert all(part.strip(". ") for part in path.split("/") if path != ".")
