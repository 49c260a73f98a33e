"""Checksums: those that are published, and those recorded at the first download."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from kseg.data.download.errors import DownloadError

_DIGITS = {"sha256": 64, "md5": 32}


@dataclass(frozen=True)
class Checksum:
    """A checksum that a file must have.

    Attributes:
        algorithm: "sha256", or "md5" where nothing better is published.
        value: Hexadecimal digits in lower case.
    """

    algorithm: str
    value: str

    def __post_init__(self) -> None:
        """Check the digits."""
        count = _DIGITS[self.algorithm]
        if not re.fullmatch(f"[0-9a-f]{{{count}}}", self.value):
            raise DownloadError(
                f"a {self.algorithm} checksum has {count} digits 0-9 and a-f, "
                f"got {self.value!r:.80}"
            )

    def __str__(self) -> str:
        """Return algorithm and digits."""
        return f"{self.algorithm} {self.value}"


def checksum_of(file: Path, algorithm: str = "sha256") -> Checksum:
    """Compute the checksum of a file."""
    with file.open("rb") as stream:
        return Checksum(algorithm, hashlib.file_digest(stream, algorithm).hexdigest())


def record_file(file: Path) -> Path:
    """Return where the checksum of a first download is recorded, `NAME.sha256` beside it."""
    return file.with_name(f"{file.name}.sha256")


def recorded(file: Path) -> Checksum | None:
    """Return the checksum recorded for a file of this name, None if there is none.

    Raises:
        DownloadError: The record is no such file as `sha256sum` writes.
    """
    record = record_file(file)
    if not record.is_file():
        return None
    words = record.read_text("utf-8", errors="replace").split()
    try:
        return Checksum("sha256", words[0] if words else "")
    except DownloadError as error:
        raise DownloadError(f"{record}: {error}; delete the file to record anew") from None


def write_record(file: Path, checksum: Checksum) -> None:
    """Record the checksum of a file, as `sha256sum` does."""
    record_file(file).write_text(f"{checksum.value}  {file.name}\n", "utf-8")
