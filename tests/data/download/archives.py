"""Archives, good and hostile, as bytes."""

import io
import stat
import tarfile
import zipfile
from dataclasses import dataclass

import pytest

from kseg.data.download.errors import DownloadError


@dataclass
class Entry:
    """A member: a file with `data`, or a link, folder or device by the type of `tarfile`."""

    name: str
    data: bytes = b""
    type: bytes = tarfile.REGTYPE
    target: str = ""


FILE_TYPES = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.FIFOTYPE: stat.S_IFIFO,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
}


def make_tar(entries, compression="", format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{compression}", format=format) as file:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.size = entry.type, entry.target, len(entry.data)
            file.addfile(info, io.BytesIO(entry.data))
    return out.getvalue()


def make_zip(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for entry in entries:
            info = zipfile.ZipInfo("x")
            # The constructor cuts and turns names as a well-behaved program does.
            info.filename = info.orig_filename = entry.name
            info.create_system = 3
            info.external_attr = (FILE_TYPES[entry.type] | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, entry.target.encode() or entry.data)
    return out.getvalue()


def tree(folder):
    """Everything below a folder: each path with its kind, bytes and where links lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else None
        found[str(path.relative_to(folder))] = (stat.S_IFMT(mode), content)
    return found


GOOD = [
    Entry("set/", type=tarfile.DIRTYPE),
    Entry("set/images/a.png", b"image"),
    Entry("set/masks/a.png", bytes(3000)),
    Entry("set/größe.txt", "größe".encode()),
]
KINDS = {
    "zip": make_zip,
    "tar": make_tar,
    "gnu": lambda entries: make_tar(entries, format=tarfile.GNU_FORMAT),
    "gz": lambda entries: make_tar(entries, "gz"),
    "bz2": lambda entries: make_tar(entries, "bz2"),
    "xz": lambda entries: make_tar(entries, "xz"),
}
BOTH = pytest.mark.parametrize("make", [make_zip, make_tar], ids=["zip", "tar"])


def refused(place, content, message, limits=None):
    with pytest.raises(DownloadError, match=rf"archive: .*{message}.*; nothing was unpacked"):
        place(content, limits)
    assert not place.out.exists()


def files(folder):
    return {name: content for name, (_, content) in tree(folder).items() if content is not None}
