"""The folders: where archives go, and how a new data set takes its place all at once."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kseg.data.download.errors import DownloadError


def downloads_folder(data_root: Path) -> Path:
    """Return the folder of archives in a data root."""
    return data_root / ".downloads"


def check_target(target: Path, *, overwrite: bool) -> None:
    """Check that a data set may be put at `target`.

    Raises:
        DownloadError: Something is there that may not be replaced.
    """
    if target.is_symlink():
        raise DownloadError(f"{target} is a link, which is not replaced; remove it first")
    if target.exists() and not target.is_dir():
        raise DownloadError(f"{target} is a file; move it away first")
    if target.exists() and any(target.iterdir()) and not overwrite:
        raise DownloadError(f"{target} is there already; --overwrite replaces it")


def put(new: Path, target: Path, attic: Path) -> None:
    """Move a folder to `target`; what was there goes to `attic`, and comes back after an error."""
    if target.exists():
        os.rename(target, attic)
    try:
        os.rename(new, target)
    except BaseException:
        if attic.exists():
            os.rename(attic, target)
        raise


@contextmanager
def work_folder(downloads: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder for one run that unpacks the data set `name`; removed afterwards.

    Raises:
        DownloadError: Another run is at work on it.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    with (downloads / f"{name}.lock").open("w") as lock:
        _lock(lock.fileno(), name)
        folder = downloads / f"{name}.unpacking"
        # A run that was killed left it.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _lock(descriptor: int, name: str) -> None:
    """Take a lock that ends with this process; Windows has none of this kind."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadError(f"another run is fetching {name!r}; wait for it") from None
