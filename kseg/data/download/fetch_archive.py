"""One archive: fetch it if it is not there, and check that it is the right one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from kseg.data.download.addresses import shown
from kseg.data.download.checksum import Checksum, checksum_of, record_file, recorded, write_record
from kseg.data.download.errors import DownloadError
from kseg.data.download.part import Part
from kseg.data.download.sources import Archive
from kseg.data.download.transfer import Patience, fetch

Say = Callable[[str], None]


def fetch_archive(
    archive: Archive, folder: Path, *, max_bytes: int, patience: Patience | None = None, say: Say
) -> Path:
    """Return an archive's file, fetched and checked.

    A file that is there with the right checksum is not fetched again. Where no checksum is
    published, that of the first download is recorded beside the file, and later ones must have it.

    Args:
        archive: What to fetch.
        folder: Folder for the file.
        max_bytes: Most that it may have.
        patience: How long to try.
        say: What takes a sentence for the user.

    Raises:
        DownloadError: No address has the file, or what came is not the right one.
    """
    file = folder / archive.file_name
    if file.is_file():
        problem = _problem(file, file, archive.checksum)
        if problem is None:
            say(f"{file} was fetched before and is as it should be")
            return file
        say(f"{problem}; fetching it again")
        _put_aside(file, file)
    problems = []
    for url in archive.urls:
        say(f"fetching {shown(url)}")
        try:
            _fetch_checked(url, file, archive.checksum, max_bytes, patience)
        except DownloadError as error:
            problems.append(str(error))
            continue
        say(_checked(file, archive.checksum))
        return file
    raise DownloadError("; and ".join(problems))


def _fetch_checked(
    url: str, file: Path, checksum: Checksum | None, max_bytes: int, patience: Patience | None
) -> None:
    part = Part(file)
    pieced = fetch(url, part, max_bytes=max_bytes, patience=patience)
    if pieced and _problem(part.path, file, checksum):
        # The pieces may not belong together, whatever the server said.
        part.discard()
        fetch(url, part, max_bytes=max_bytes, patience=patience)
    problem = _problem(part.path, file, checksum)
    if problem is None:
        part.move(file)
        return
    aside = _put_aside(part.path, file)
    part.discard()
    raise DownloadError(
        f"{shown(url)}: {problem}; nothing was unpacked, what came is kept as {aside}"
    )


def _problem(path: Path, file: Path, checksum: Checksum | None) -> str | None:
    """Return what is wrong with the checksum of `path`, which is to be `file`; None if nothing."""
    expected = checksum or recorded(file)
    if expected is None or (found := checksum_of(path, expected.algorithm)) == expected:
        return None
    origin = "" if checksum else f" that {record_file(file)} has from the first download"
    advice = "" if checksum else " (delete that record if its publisher made a new version)"
    return (
        f"{file.name} has {found} and not the {expected.value}{origin}: it was damaged or "
        f"changed{advice}"
    )


def _checked(file: Path, checksum: Checksum | None) -> str:
    if checksum is not None:
        return f"{file.name}: the {checksum.algorithm} checksum is right"
    if record_file(file).is_file():
        return f"{file.name}: the sha256 checksum is that of the first download"
    write_record(file, checksum_of(file))
    return (
        f"{file.name}: no checksum is published; that of this download is in {record_file(file)}, "
        "and later downloads must have it"
    )


def _put_aside(path: Path, file: Path) -> Path:
    aside = file.with_name(f"{file.name}.wrong")
    os.replace(path, aside)
    return aside


def forget(file: Path) -> None:
    """Put a fetched file aside and delete its recorded checksum, so that it is fetched anew."""
    _put_aside(file, file)
    record_file(file).unlink(missing_ok=True)
