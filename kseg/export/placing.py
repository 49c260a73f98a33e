"""Writing an export, of one file or several, in one step."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kseg.inference.sidecar import sidecar_path

# OpenVINO and ncnn both look for the weights of NAME.xml and NAME.param in NAME.bin.
_SAME_WEIGHTS = {".xml": ".param", ".param": ".xml"}
_FULL = 2**20


def check_replaceable(target: Path) -> None:
    """Make sure that what an export replaces is an earlier one of its kind, or an empty folder.

    Raises:
        ValueError: `target` is a folder of something else, or an export in another format has its
            weights where those of this one go.
    """
    other = target.with_suffix(_SAME_WEIGHTS.get(target.suffix, target.suffix))
    if other != target and other.is_file():
        raise ValueError(
            f"{target}: its weights would replace those of {other.name}, which are in "
            f"{target.stem}.bin too; give another name with --output_path, or delete {other.name}"
        )
    if not target.is_dir() or sidecar_path(target).is_file() or not any(target.iterdir()):
        return
    raise ValueError(
        f"--output_path {target} is a folder with files of something else, which the export would "
        "replace; give the name of a new folder or file"
    )


@contextmanager
def draft_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target` that is deleted afterwards with all that is in it.

    Raises:
        OSError: Nothing can be written there, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder:
        try:
            yield Path(folder)
        except (OSError, ValueError):
            raise
        except Exception as error:
            if shutil.disk_usage(folder).free >= _FULL:
                raise
            # Each library has an exception of its own for this.
            full = errno.ENOSPC
            raise OSError(full, os.strerror(full), str(target.parent)) from error


def place(draft: Path, main: Path, target: Path) -> None:
    """Move all that is in a draft folder to where it belongs, the main file or folder last.

    Whoever finds the main file finds the rest of it too.

    Args:
        draft: The folder.
        main: The file or folder in it that becomes `target`.
        target: Where to; the other files go beside it, under their names.
    """
    others = sorted(path for path in draft.iterdir() if path != main)
    for path in others:
        _replace(path, target.parent / path.name)
    _replace(main, target)


def _replace(path: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        # A folder that is not empty cannot be replaced in one step: the old one steps aside.
        with tempfile.TemporaryDirectory(prefix=".replaced-", dir=target.parent) as aside:
            os.replace(target, Path(aside) / target.name)
            os.replace(path, target)
    else:
        if path.is_dir():
            target.unlink(missing_ok=True)
        os.replace(path, target)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
