"""What `--input` stands for: images, folders, patterns, a list on stdin, a video or a camera."""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from kseg.data.io import IMAGE_SUFFIXES

STDIN = "-"
VIDEO_SUFFIXES = (
    ".avi",
    ".m4v",
    ".mkv",
    ".mov",
    ".mp4",
    ".mpeg",
    ".mpg",
    ".webm",
    ".wmv",
)


class Item(NamedTuple):
    """An image to segment.

    Attributes:
        path: Its file.
        name: What the paths of its results begin with, counted from the output folder.
    """

    path: Path
    name: Path

    @property
    def file_name(self) -> str:
        """Name of the file with the folders that its results keep."""
        return (self.name.parent / self.path.name).as_posix()

    def __str__(self) -> str:
        """Return the file, for messages."""
        return str(self.path)


class Film(NamedTuple):
    """A video or a camera to segment.

    Attributes:
        source: Its file, or the number of the camera.
        name: What the paths of its results begin with, counted from the output folder.
    """

    source: Path | int
    name: Path

    @property
    def is_camera(self) -> bool:
        """Whether it is a camera."""
        return isinstance(self.source, int)

    def __str__(self) -> str:
        """Return the file or the number, for messages."""
        return f"camera {self.source}" if self.is_camera else str(self.source)


def find_inputs(
    spec: str, *, recursive: bool = False, leave_out: Path | None = None
) -> list[Item] | Film:
    """Find what a text of the command line stands for.

    Args:
        spec: An image, a folder, a pattern such as `scans/**/*.png`, a video, the number of a
            camera, or "-" for a list of images on standard input, one a line (or separated by NUL
            as `find -print0` does).
        recursive: Look for images in the folders below a folder too; the results keep the folders.
        leave_out: Folder below `spec` that is not looked into, where the results go.

    Raises:
        ValueError: There is nothing of that name, or no image in it.
    """
    path = Path(spec)
    if spec == STDIN:
        return _listed()
    if path.is_dir():
        return name_items(_images_of(path, recursive, leave_out), path)
    if path.is_file():
        is_video = path.suffix.lower() in VIDEO_SUFFIXES
        return Film(path, Path(path.stem)) if is_video else name_items([path], path.parent)
    if spec.isascii() and spec.isdigit():
        return Film(int(spec), Path(f"camera_{int(spec)}"))
    if glob.has_magic(spec):
        return _matching(spec)
    raise ValueError(f"{spec}: there is no such file or folder")


def _images_of(folder: Path, recursive: bool, leave_out: Path | None) -> list[Path]:
    found = _walk(folder, leave_out) if recursive else sorted(folder.iterdir())
    files = [path for path in found if _is_image(path)]
    if files:
        return files
    below = not recursive and any(path.is_dir() for path in folder.iterdir())
    advice = "; --recursive looks into the folders below it" if below else ""
    raise ValueError(f"{folder}: there is no image in this folder{advice}")


def _is_image(path: Path) -> bool:
    if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
        return False
    # A link whose file is gone is an image that cannot be read.
    return path.is_file() or (path.is_symlink() and not path.exists())


def _walk(folder: Path, leave_out: Path | None) -> list[Path]:
    """Return all files below a folder, hidden folders and links to folders left out."""
    skipped = None if leave_out is None else leave_out.resolve()
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != skipped
        )
        files += [here / name for name in sorted(names)]
    return files


def _matching(pattern: str) -> list[Item]:
    found = sorted(map(Path, glob.iglob(pattern, recursive=True)))
    files = [path for path in found if _is_image(path)]
    if not files:
        raise ValueError(f"{pattern}: no image matches this pattern")
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return name_items(files, Path(*parts[:fixed]))


def _listed() -> list[Item]:
    # Names of files are bytes; those that are no text stay what they are.
    text = os.fsdecode(sys.stdin.buffer.read())
    lines = text.split("\0") if "\0" in text else text.splitlines()
    files = list(dict.fromkeys(Path(line) for line in lines if line.strip()))
    if not files:
        raise ValueError("standard input: there is no name of an image in it")
    folders = [os.path.dirname(os.path.abspath(file)) for file in files]
    return name_items(files, Path(os.path.commonpath(folders)))


def name_items(files: Sequence[Path], root: Path) -> list[Item]:
    """Return files with names for their results that no two share.

    A result is called like its image without the extension and lies in the same folder, counted
    from `root`. Images of one folder that differ in the extension alone keep it: `a.png` and
    `a.bmp` become `a_png` and `a_bmp`. Upper and lower case count as the same, as on some disks.

    Args:
        files: The files, each of them once.
        root: Folder that all of them are in or below.
    """
    places = [_inside(root, file) for file in files]
    stems = Counter(_key(place.with_name(_stem(place))) for place in places)
    taken: set[str] = set()
    items = []
    for file, place in zip(files, places, strict=True):
        stem = _stem(place)
        alone = stems[_key(place.with_name(stem))] == 1
        wanted = stem if alone else place.name.replace(".", "_")
        items.append(Item(file, _free(place.with_name(wanted), taken)))
    return items


def _inside(root: Path, file: Path) -> Path:
    try:
        return Path(os.path.abspath(file)).relative_to(os.path.abspath(root))
    except ValueError:
        return Path(file.name)


def _stem(place: Path) -> str:
    # That of ..2 is a dot, which is no name.
    return place.stem if place.stem.strip(".") else place.name


def _key(name: Path) -> str:
    return str(name).casefold()


def _free(name: Path, taken: set[str]) -> Path:
    """Return a name that is not taken yet, with a number if need be, and take it."""
    free, number = name, 2
    while _key(free) in taken:
        free, number = name.with_name(f"{name.name}_{number}"), number + 1
    taken.add(_key(free))
    return free


def check_targets(
    inputs: Iterable[Path], names: Iterable[Path], targets: Callable[[Path], Sequence[Path]]
) -> None:
    """Refuse to write over an input, or two results to one file, before anything is written.

    Args:
        inputs: Files that are read.
        names: `Item.name` of each of them, and any other.
        targets: The files that are written under a name.

    Raises:
        ValueError: One of them is an input, or is written twice.
    """
    kept = {_identity(path) for path in inputs} - {None}
    seen: set[str] = set()
    for name in names:
        for target in targets(name):
            if _identity(target) in kept:
                raise ValueError(
                    f"{target}: this input would be overwritten by a result; choose another "
                    "--output"
                )
            if _key(target) in seen:
                raise ValueError(
                    f"{target}: two results would have this name; rename an image, or write fewer "
                    "kinds of results with --save"
                )
            seen.add(_key(target))


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from others whatever its name, or None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
