"""Unpacking tar archives.

`tarfile` only reads here: its filters keep links on the disk, and those of the Python versions
that we support have had holes.
"""

from __future__ import annotations

import tarfile
from typing import IO

from kseg.data.download.errors import ArchiveError, DamagedArchiveError, quoted, size_text
from kseg.data.download.members import Members

_BLOCK = tarfile.BLOCKSIZE
_LARGEST_HEADER = 1 << 22


class _Guarded:
    """A stream for `tarfile` that is read forwards only, and never much of it at once.

    Headers have lengths of their own, which `tarfile` believes: a small compressed archive could
    take all memory by one.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._position = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LARGEST_HEADER:
            raise ArchiveError(f"it has a header of more than {size_text(_LARGEST_HEADER)}")
        self.last = self._stream.read(size)
        self._position += len(self.last)
        return self.last

    def seek(self, position: int) -> None:
        if position < self._position:
            raise DamagedArchiveError("a member begins before another ends")
        while self._position < position and self.read(min(position - self._position, 1 << 20)):
            pass

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def drain(self) -> None:
        """Read what follows the archive: the checksum of compressed data is at their end."""
        while self.read(1 << 20):
            pass


def is_tar(first_block: bytes) -> bool:
    """Tell whether 512 bytes are the first header of a tar archive."""
    try:
        tarfile.TarInfo.frombuf(first_block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def unpack_tar(stream: IO[bytes], members: Members) -> None:
    """Write the members of a tar archive.

    Args:
        stream: The archive, uncompressed, from its first byte.
        members: Where they go.

    Raises:
        ArchiveError: The archive is hostile or ends too early.
    """
    guarded = _Guarded(stream)
    with tarfile.TarFile(fileobj=guarded, mode="r", errorlevel=2) as file:  # type: ignore[arg-type]
        while (member := file.next()) is not None:
            _add(file, member, members)
    # `tarfile` takes a damaged header for the end; the real one is a block of zeros.
    if guarded.last != bytes(_BLOCK):
        raise DamagedArchiveError("it has no end mark")
    guarded.drain()


def _add(file: tarfile.TarFile, member: tarfile.TarInfo, members: Members) -> None:
    name = member.name
    if member.isdir():
        members.add_folder(name)
    elif member.issym() or member.islnk():
        members.add_link(name, member.linkname, hard=member.islnk())
    elif member.type in tarfile.REGULAR_TYPES and not member.issparse():
        members.check_size(member.size)
        stream = file.extractfile(member)
        if stream is None:
            raise ArchiveError(f"the member {quoted(name)} cannot be read")
        members.add_file(name, stream, member.size)
    else:
        raise ArchiveError(f"the member {quoted(name)} is a device or another special file")
