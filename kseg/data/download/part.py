"""A file that is only fetched in part, and what the server said of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import requests


@dataclass(frozen=True)
class Version:
    """What tells one version of a file on a server from another.

    Attributes:
        address: Hash of the address, which may hold a password.
        etag: The server's mark of the version, or None.
        modified: When the file was changed, in the server's words, or None.
        size: Number of bytes, or None.
    """

    address: str
    etag: str | None
    modified: str | None
    size: int | None

    @classmethod
    def of(cls, response: requests.Response, url: str) -> Version:
        """Return the version that an answer is about; its size is that of the whole file."""
        headers = response.headers
        size = headers.get("Content-Length")
        if response.status_code == 206:
            found = re.fullmatch(r"bytes \d+-\d+/(\d+)", headers.get("Content-Range", ""))
            size = found[1] if found else None
        return cls(
            address=hashlib.sha256(url.encode()).hexdigest(),
            etag=headers.get("ETag"),
            modified=headers.get("Last-Modified"),
            size=int(size) if size and size.isdecimal() else None,
        )

    @property
    def validator(self) -> str | None:
        """What `If-Range` takes: a strong ETag or a date; None where the server tells neither."""
        strong = self.etag and not self.etag.startswith("W/")
        return self.etag if strong else self.modified


class Part:
    """The bytes of a file so far, `NAME.part`, and their version, `NAME.part.json`."""

    def __init__(self, file: Path) -> None:
        self.path = file.with_name(f"{file.name}.part")
        self._version_file = file.with_name(f"{file.name}.part.json")

    @property
    def size(self) -> int:
        """Number of bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self, url: str) -> Version | None:
        """Return the version of the bytes that are there, if they came from this address."""
        try:
            version = Version(**json.loads(self._version_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        same = version.address == hashlib.sha256(url.encode()).hexdigest()
        return version if same and self.size > 0 else None

    def start(self, version: Version) -> BinaryIO:
        """Drop what is there and open the file for the bytes of a version."""
        self.discard()
        fresh = self._version_file.with_suffix(".tmp")
        fresh.write_text(json.dumps(asdict(version)), "utf-8")
        os.replace(fresh, self._version_file)
        return self.path.open("wb")

    def go_on(self) -> BinaryIO:
        """Open the file for the bytes that follow those that are there."""
        return self.path.open("ab")

    def discard(self) -> None:
        """Remove what is there."""
        self.path.unlink(missing_ok=True)
        self._version_file.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Give the file its name."""
        os.replace(self.path, target)
        self.discard()
