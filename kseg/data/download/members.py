"""Writing the members of an archive: inside one new folder, plain files only, and not too many.

Nothing that is written is a link, so no path can lead out of the folder by one. Members that are
links to other members become copies of them, as on systems that have no links.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from kseg.data.download.errors import ArchiveError, quoted, size_text

_CHUNK = 1 << 20
_DEPTH = 32


@dataclass(frozen=True)
class Limits:
    """How much may be fetched and unpacked.

    Attributes:
        size: Bytes of one archive, and of all its files; None for 50 GB, but no more than the
            hundredfold of an archive that has more than 1 GB in it. Images hardly become twofold.
        files: Files and folders of one archive.
    """

    size: int | None = None
    files: int = 400_000

    @property
    def download(self) -> int:
        """Bytes that an archive may have."""
        return 50 * 10**9 if self.size is None else self.size

    def unpacked(self, archive_size: int) -> int:
        """Return the bytes that may come out of an archive of `archive_size` bytes."""
        if self.size is not None:
            return self.size
        return min(self.download, max(10**9, 100 * archive_size))


def member_path(name: str) -> PurePosixPath:
    """Return the path of a member, the empty one for the archive's own folder.

    Raises:
        ArchiveError: The path leaves the folder on Unix or on Windows, or is no path.
    """
    windows = PureWindowsPath(name)
    path = PurePosixPath(windows.as_posix())
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise ArchiveError(f"the name {quoted(name)} has control characters")
    # Windows drops dots and spaces at the end, so that ".. " is the parent folder there.
    if windows.drive or windows.root or any(not part.strip(". ") for part in path.parts):
        raise ArchiveError(f"the member {quoted(name)} lies outside the folder")
    if len(path.parts) > _DEPTH:
        raise ArchiveError(f"the member {quoted(name)} lies more than {_DEPTH} folders deep")
    return path


class Members:
    """Writes the members of one archive into a new folder."""

    def __init__(self, folder: Path, limits: Limits, archive_size: int) -> None:
        """Begin with nothing.

        Args:
            folder: An empty folder that nobody else writes to.
            limits: How much may be written.
            archive_size: Bytes of the archive.
        """
        self.left_out: list[str] = []
        self._root = folder
        self._limits = limits
        self._allowed = self._bytes_left = limits.unpacked(archive_size)
        self._count = 0
        self._made: set[PurePosixPath] = set()
        self._files: set[PurePosixPath] = set()
        self._links: dict[PurePosixPath, PurePosixPath] = {}

    def add_folder(self, name: str) -> None:
        """Make a folder."""
        self._count_one()
        self._make(member_path(name))

    def add_file(self, name: str, stream: IO[bytes], size: int) -> None:
        """Write a file.

        Args:
            name: Its name in the archive.
            stream: Its bytes.
            size: Number of bytes that the archive states.

        Raises:
            ArchiveError: The name is hostile or was there before, or this is too much.
        """
        path = self._new_path(name)
        if path is None:
            return
        self.check_size(size)
        self._make(path.parent)
        self._files.add(path)
        try:
            file = (self._root / path).open("xb")
        except (FileExistsError, IsADirectoryError):
            raise ArchiveError(f"the member {quoted(name)} is there twice") from None
        with file:
            while chunk := stream.read(_CHUNK):
                self.check_size(len(chunk))
                self._bytes_left -= len(chunk)
                file.write(chunk)

    def add_link(self, name: str, target: str, *, hard: bool = False) -> None:
        """Note a link; `copy_links` makes a copy of it.

        Args:
            name: Its name in the archive.
            target: Where it points, counted from its folder.
            hard: It counts from the archive's own folder instead.

        Raises:
            ArchiveError: It points out of the archive.
        """
        path = self._new_path(name)
        if path is None:
            return
        folder = "" if hard else str(path.parent)
        try:
            inside = posixpath.normpath(posixpath.join(folder, str(_link_path(target))))
            self._links[path] = member_path(inside)
        except ArchiveError:
            raise ArchiveError(
                f"the link {quoted(name)} points out of the folder, to {quoted(target)}"
            ) from None

    def copy_links(self) -> None:
        """Copy what links point to; those that point to no file are in `left_out` after this."""
        links, self._links = self._links, {}
        for path, target in links.items():
            for _ in range(_DEPTH):
                target = links.get(target, target)
            if target not in self._files:
                self.left_out.append(str(path))
                continue
            source = self._root / target
            with source.open("rb") as stream:
                self.add_file(str(path), stream, source.stat().st_size)

    def check_size(self, size: int) -> None:
        """Refuse another `size` bytes if they are too many.

        Raises:
            ArchiveError: They are.
        """
        if size > self._bytes_left:
            raise ArchiveError(
                f"its files have more than {size_text(self._allowed)}, which may be an attack on "
                "the disk; give --max_gb if they may"
            )

    def check_count(self, more: int) -> None:
        """Refuse `more` files and folders if they are too many.

        Raises:
            ArchiveError: They are.
        """
        if self._count + more > self._limits.files:
            raise ArchiveError(
                f"it has more than {self._limits.files} files and folders, which may be an attack "
                "on the disk"
            )

    def _count_one(self) -> None:
        self.check_count(1)
        self._count += 1

    def _new_path(self, name: str) -> PurePosixPath | None:
        self._count_one()
        path = member_path(name)
        if not path.parts:
            raise ArchiveError("a file in it has no name")
        if path.parts[0] == "__MACOSX" or path.name.startswith("._"):
            return None
        if path in self._files or path in self._links:
            raise ArchiveError(f"the member {quoted(name)} is there twice")
        return path

    def _make(self, folder: PurePosixPath) -> None:
        for one in (*reversed(folder.parents), folder):
            if one in self._made or not one.parts:
                continue
            self._count_one()
            try:
                (self._root / one).mkdir(exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                message = f"{quoted(str(one))} is both a file and a folder"
                raise ArchiveError(message) from None
            self._made.add(one)


def _link_path(target: str) -> PurePosixPath:
    windows = PureWindowsPath(target)
    if windows.drive or windows.root:
        raise ArchiveError("absolute")
    return PurePosixPath(windows.as_posix())
