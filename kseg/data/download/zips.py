"""Unpacking zip archives."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

from kseg.data.download.errors import ArchiveError, quoted, size_text
from kseg.data.download.members import Members

_ENCRYPTED = 1
_UNIX = (3, 19)
_LONGEST_LINK = 4096
_LARGEST_INDEX = 1 << 26


class _Guarded(io.FileIO):
    """A file that is never read by much at once: `zipfile` reads the whole index of an archive."""

    def read(self, size: int | None = -1, /) -> bytes:
        rest = os.fstat(self.fileno()).st_size - self.tell()
        if (rest if size is None or size < 0 else size) > _LARGEST_INDEX:
            raise ArchiveError(f"it has an index of more than {size_text(_LARGEST_INDEX)}")
        return super().read(size)


def unpack_zip(archive: Path, members: Members) -> None:
    """Write the members of a zip archive.

    Raises:
        ArchiveError: The archive is hostile or encrypted.
    """
    with _Guarded(archive) as guarded, zipfile.ZipFile(guarded) as file:
        infos = file.infolist()
        members.check_count(len(infos))
        members.check_size(sum(info.file_size for info in infos))
        for info in infos:
            _add(file, info, members)


def _add(file: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members) -> None:
    # `filename` ends before a NUL, where another program may go on reading.
    name = info.orig_filename
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system in _UNIX else 0
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"the member {quoted(name)} is encrypted")
    if name.endswith(("/", "\\")) or kind == stat.S_IFDIR:
        members.add_folder(name)
    elif kind == stat.S_IFLNK:
        with file.open(info) as stream:
            target = stream.read(_LONGEST_LINK).decode("utf-8", "surrogateescape")
        members.add_link(name, target)
    elif kind in (0, stat.S_IFREG):
        with file.open(info) as stream:
            members.add_file(name, stream, info.file_size)
    else:
        raise ArchiveError(f"the member {quoted(name)} is a device or another special file")
