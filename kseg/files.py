"""Where files go that can be made again, and writing a file in one step."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def user_cache() -> Path:
    """Return the folder for files that can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kseg"


def check_output_folder(folder: Path) -> None:
    """Make sure that files can be written to a folder, which need not be there yet.

    Raises:
        ValueError: A file is in its way, or the user may not write there.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ValueError(f"{folder}: results cannot go here, {there} is a file; give a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"{folder}: results cannot go here, no permission to write to {there}")


@contextmanager
def replacing_text(path: Path) -> Iterator[TextIO]:
    """Open a text file in UTF-8 that takes the place of `path` once it is complete.

    Names of files may be in it: on Linux they are bytes, and those that are no text are written as
    `\\udcdf`, which JSON reads as what Python has for them. Line ends stay as they are written.

    Args:
        path: The file to write; see `replacing`.
    """
    with (
        replacing(path) as draft,
        draft.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Give the path of a draft that takes the place of `path` once it is complete.

    A reader, or a process that starts after a crash, finds the old file or the new one and never a
    part of one. The draft is a hidden file of the same folder, which is made if need be, with the
    same extension; it is deleted where an exception is raised. What a killed process left of a
    draft is overwritten by the next one.

    Args:
        path: The file to write.
        shared: Several processes or threads may write the file at the same time: each has a draft
            of its own, and the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{os.getpid()}-{threading.get_ident()}-" if shared else ""
    draft = path.with_name(f".partial-{writer}{path.name}")
    try:
        yield draft
        os.replace(draft, path)
    except OSError as error:
        if error.filename is not None:
            raise
        # A full disk is reported without the name of the file.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
