"""What can go wrong, in one sentence each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DownloadError(ValueError):
    """A file cannot be fetched, is not the right one or cannot be unpacked."""


class ConnectionLostError(DownloadError):
    """The server or the network failed in a way that may pass; worth another try."""


class ArchiveError(DownloadError):
    """An archive is damaged, or holds what no data set needs."""


class DamagedArchiveError(ArchiveError):
    """An archive is damaged or ends too early."""


@contextmanager
def full_disk_is_said(folder: Path, advice: str) -> Iterator[None]:
    """Turn the error of a full disk (or quota, or limit of file sizes) into one sentence.

    Raises:
        DownloadError: The disk of `folder` is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DownloadError(
            f"{folder}: the disk is full ({error.strerror}); free some space or give another "
            f"place with --data_root; {advice}"
        ) from None


def quoted(text: str) -> str:
    """Return text of a stranger fit for a message: short, and without control characters."""
    shown = ascii(text)
    return shown if len(shown) <= 80 else f"{shown[:76]}..."


def size_text(count: float) -> str:
    """Return a number of bytes as a person writes it: 512 bytes, 1.5 MB, 2.0 GB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} bytes"
