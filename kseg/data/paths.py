"""Paths that come from files: they stay in the data set's folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath


def path_inside(root: Path, text: str, where: object) -> Path:
    """Return the path that a list or an annotation means, below `root`.

    Backslashes separate folders, as on Windows. An absolute path is taken if it lies below `root`.
    Nothing else outside is ever read, since lists come with downloads; whoever wants images from
    another place puts a link to it into the folder, which is followed.

    Args:
        root: Folder that paths count from.
        text: The path as it was written.
        where: File (and line) of the text, for messages.

    Raises:
        ValueError: The path is empty, leaves `root` or has characters that no path has.
    """
    windows = PureWindowsPath(text.strip())
    path = PurePosixPath(windows.as_posix())
    if path.name == "" or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError(f"{where}: {_quote(text)} is no path of a file")
    inside = _below(root, path, windows)
    if inside is None:
        raise ValueError(
            f"{where}: the path {_quote(text)} leaves the folder {root}; paths must stay in it, so "
            "put the files (or a link to their folder) there"
        )
    return root / inside


def _below(root: Path, path: PurePosixPath, windows: PureWindowsPath) -> PurePosixPath | None:
    if ".." in path.parts:
        return None
    if windows.drive or path.is_absolute():
        try:
            return path.relative_to(PureWindowsPath(root.absolute()).as_posix())
        except ValueError:
            return None
    return path


def existing_inside(root: Path, text: str, where: object) -> Path:
    """Return `path_inside` of a file that is there.

    Raises:
        ValueError: As `path_inside`, or there is no such file.
    """
    path = path_inside(root, text, where)
    if not is_file(path):
        raise ValueError(f"{where}: there is no file {_quote(text)} in {root}")
    return path


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a name too long for the file system is no file."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_text(path: Path) -> str:
    """Read UTF-8 text with or without byte order mark.

    Raises:
        ValueError: The file cannot be read or is no UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: this is no UTF-8 text (byte {error.start}); save the file as UTF-8"
        ) from None


def text_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that say something, each with its number from 1.

    Empty lines and those that start with "#" are left out. Lines end at LF or CRLF only, not at
    the exotic separators of Unicode.
    """
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = enumerate((line.strip() for line in unix.split("\n")), 1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _quote(text: str) -> str:
    quoted = repr(text)
    return quoted if len(quoted) <= 80 else f"{quoted[:76]}..."
