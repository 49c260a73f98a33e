"""From the name of a data set to a folder that `open_dataset` opens."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.download.addresses import check_address, file_name, shown
from kseg.data.download.arrange import as_packed
from kseg.data.download.checksum import Checksum, recorded
from kseg.data.download.errors import (
    DamagedArchiveError,
    DownloadError,
    full_disk_is_said,
    size_text,
)
from kseg.data.download.fetch_archive import Say, fetch_archive, forget
from kseg.data.download.members import Limits
from kseg.data.download.part import Part
from kseg.data.download.place import check_target, downloads_folder, put, work_folder
from kseg.data.download.sources import SOURCES, Archive, Source, find_source
from kseg.data.download.transfer import Patience
from kseg.data.download.unpack import unpack
from kseg.data.registry import open_dataset


@dataclass(frozen=True)
class Options:
    """How to fetch.

    Attributes:
        overwrite: Replace a data set that is there.
        keep_archives: Keep what was fetched after it is unpacked.
        limits: How much may be fetched and unpacked.
        patience: How long to try.
    """

    overwrite: bool = False
    keep_archives: bool = True
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)


def source_of(name: str, url: str | None = None, sha256: str | None = None) -> Source:
    """Return the source of a data set: the known one of its name, or an archive at an address.

    Args:
        name: Name of the data set.
        url: Address of an archive, for data sets without a known one, and for copies of others.
        sha256: Its checksum.

    Raises:
        DownloadError: No address is known, or it is none that is fetched from.
    """
    if url is None:
        if sha256 is not None:
            raise DownloadError("--sha256 is the checksum of what --url names; give both")
        return find_source(name)
    check_address(url)
    checksum = None if sha256 is None else Checksum("sha256", sha256.lower())
    # Archives of the same name at several addresses are not taken for each other.
    mark = hashlib.sha256(url.encode()).hexdigest()[:8]
    archive = Archive(f"{name}-{mark}-{file_name(url)}", [url], checksum)
    known = SOURCES.get(name.lower())
    arrange = known.arrange if known else as_packed
    return Source(name, "the archive that --url names", shown(url), [archive], arrange)


def plan(source: Source, data_root: Path) -> list[str]:
    """Return lines that say what `fetch_dataset` would do; nothing is fetched or written."""
    target = data_root / source.name
    lines = [f"{source.name}: {source.title}", f"  page      {source.page}"]
    if source.by_hand:
        return [*lines, f"  by hand   {_by_hand(source, target)}"]
    for archive in source.archives:
        file = downloads_folder(data_root) / archive.file_name
        size = f", about {archive.megabytes} MB" if archive.megabytes else ""
        lines += [f"  fetch     {shown(url)}{size}" for url in archive.urls[:1]]
        lines += [f"  or        {shown(url)}" for url in archive.urls[1:]]
        lines += [f"  checksum  {_expected(archive, file)}", f"  to        {file}{_state(file)}"]
    there = " (there already: needs --overwrite)" if target.exists() else ""
    return [*lines, f"  unpack to {target}{there}"]


def fetch_dataset(source: Source, data_root: Path, options: Options, say: Say = print) -> Dataset:
    """Fetch a data set, check it, unpack it to DATA_ROOT/NAME and open it.

    Archives go to DATA_ROOT/.downloads. They are unpacked in a folder there, which is renamed
    when everything is done: DATA_ROOT/NAME is the old or the new data set, never half of one.

    Args:
        source: Where it comes from.
        data_root: Folder that holds the data sets.
        options: How to fetch.
        say: What takes a sentence for the user.

    Raises:
        DownloadError: It cannot be had; the sentence says why.
    """
    target, downloads = data_root / source.name, downloads_folder(data_root)
    if source.by_hand:
        raise DownloadError(f"{source.name}: {_by_hand(source, target)}")
    check_target(target, overwrite=options.overwrite)
    say(f"{source.name}: {source.title}; its page is {source.page}")
    with work_folder(downloads, source.name) as work, full_disk_is_said(downloads, "run it again"):
        try:
            files = _fetch_all(source, downloads, options, say)
        except KeyboardInterrupt:
            say("what was fetched is kept; run the command again to go on")
            raise
        new = _unpack_all(source, files, work, options.limits, say)
        problem = _problem(source.name, work)
        if problem and target.exists():
            raise DownloadError(f"{problem}; {target} was not replaced")
        check_target(target, overwrite=options.overwrite)
        put(new, target, work / "replaced")
    if not options.keep_archives:
        for file in files:
            file.unlink()
    if problem:
        raise DownloadError(
            f"unpacked to {target}, but it cannot be trained on as it is: {problem}; bring its "
            "files into one of the layouts of the documentation"
        )
    return open_dataset(source.name, data_root)


def next_steps(dataset: Dataset, data_root: Path) -> list[str]:
    """Return lines that say what came, how to look at it, and how to train with it."""
    parts = ", ".join(f"{len(files)} {part}" for part, files in dataset.splits.items())
    root = "" if data_root == Path("data") else f" --data_root {shlex.quote(str(data_root))}"
    folder = shlex.quote(str(data_root / dataset.name))
    return [
        f"{folder}: {parts}, {dataset.num_classes} classes",
        f"check it:        python tools/check_data.py {folder}",
        f"train with it:   python examples/train.py --dataset_name {dataset.name}{root}",
    ]


def _fetch_all(source: Source, downloads: Path, options: Options, say: Say) -> list[Path]:
    return [
        fetch_archive(
            archive,
            downloads,
            max_bytes=options.limits.download,
            patience=options.patience,
            say=say,
        )
        for archive in source.archives
    ]


def _unpack_all(source: Source, files: list[Path], work: Path, limits: Limits, say: Say) -> Path:
    new = work / source.name
    new.mkdir()
    for archive, file in zip(source.archives, files, strict=True):
        say(f"unpacking {file}")
        unpacked = work / f"archive {file.name}"
        try:
            left_out = unpack(file, unpacked, limits)
        except DamagedArchiveError as error:
            if archive.checksum is None:
                forget(file)
            raise DownloadError(f"{error}; run the command again to fetch it anew") from None
        if left_out:
            say(f"left out {len(left_out)} links to folders or to nothing, such as {left_out[0]}")
        source.arrange(unpacked, new)
    return new


def _problem(name: str, work: Path) -> str | None:
    """Return why the unpacked data set cannot be opened, None if it can."""
    try:
        open_dataset(name, work)
    except ValueError as error:
        return str(error).replace(f"{work}/", "")
    return None


def _by_hand(source: Source, target: Path) -> str:
    return source.by_hand.format(folder=target, page=source.page)


def _expected(archive: Archive, file: Path) -> str:
    if archive.checksum is not None:
        return str(archive.checksum)
    record = recorded(file)
    return f"{record} of the first download" if record else "none published, will be recorded"


def _state(file: Path) -> str:
    if file.is_file():
        return ", which is there already"
    count = Part(file).size
    return f", of which {size_text(count)} are there" if count else ""
