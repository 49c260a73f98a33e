"""Unpacking an archive that a stranger made."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from kseg.data.download.errors import (
    ArchiveError,
    DamagedArchiveError,
    DownloadError,
    full_disk_is_said,
)
from kseg.data.download.members import Limits, Members
from kseg.data.download.tars import is_tar, unpack_tar
from kseg.data.download.zips import unpack_zip

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OPENERS: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": gzip.GzipFile,  # type: ignore[dict-item]
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RecursionError,
    NotImplementedError,
    OverflowError,
    ValueError,
    struct.error,
)
# Decompressors raise OSError without a number; a hostile place in the file is invalid.
_NO_NUMBER = {None, errno.EINVAL}
_NO_NAME = {errno.ENAMETOOLONG, errno.EILSEQ}


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> list[str]:
    """Unpack a zip, tar, tar.gz, tar.bz2 or tar.xz archive, or a single compressed file.

    What it is shows in its bytes, not in its name. Only plain files and folders are written, all
    below `folder`; links become copies of the files they point to.

    Args:
        archive: The archive.
        folder: The folder to make, which must not exist; it is removed again after an error.
        limits: How much may be written.

    Returns:
        Names of links that are left out, since they point to a folder or to nothing.

    Raises:
        DownloadError: The archive is damaged, hostile or no archive, or the disk is full.
    """
    folder.mkdir(parents=True)
    try:
        with full_disk_is_said(folder.parent, f"{archive} is kept"):
            members = Members(folder, limits or Limits(), archive.stat().st_size)
            _unpack(archive, members)
            members.copy_links()
        if not any(folder.iterdir()):
            raise ArchiveError("there is no file in it")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _told(error, archive) from None
    return members.left_out


def _unpack(archive: Path, members: Members) -> None:
    with archive.open("rb") as file:
        begin = file.read(512)
    if begin.startswith(_ZIP):
        unpack_zip(archive, members)
        return
    opener = next((one for mark, one in _OPENERS.items() if begin.startswith(mark)), None)
    if opener is None:
        _check_is_tar(begin)
    with archive.open("rb") if opener is None else opener(archive) as stream:
        is_packed = opener is None or is_tar(stream.read(512))
        stream.seek(0)
        if is_packed:
            unpack_tar(stream, members)
        else:
            members.add_file(archive.stem, stream, 0)


def _check_is_tar(begin: bytes) -> None:
    if begin.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ArchiveError(
            "this is a web page and no archive, so the address leads to a page about the file"
        )
    if not is_tar(begin):
        raise ArchiveError("this is no archive of a known kind (zip, tar, gz, bz2, xz)")


def _told(error: BaseException, archive: Path) -> BaseException:
    """Return the error to raise: a sentence about the archive, or `error` if it says it itself."""
    number = error.errno if isinstance(error, OSError) else 0
    if number in _NO_NAME:
        error = ArchiveError("a name in it is too long for this file system, or not possible there")
    elif isinstance(error, DownloadError) and not isinstance(error, ArchiveError):
        return error
    elif not isinstance(error, ArchiveError) and (
        isinstance(error, _DAMAGED) or number in _NO_NUMBER
    ):
        error = DamagedArchiveError(str(error) or type(error).__name__)
    if isinstance(error, DamagedArchiveError):
        sentence = f"it is damaged or ends too early ({error})"
        return DamagedArchiveError(f"{archive}: {sentence}; nothing was unpacked")
    if isinstance(error, ArchiveError):
        return ArchiveError(f"{archive}: {error}; nothing was unpacked")
    return error
