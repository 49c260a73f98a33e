"""Lists of files: `train.txt` or `train.csv`, the same for val and test, with a sample per line.

A line of a `.txt` (or `.lst`) is `image mask`, with a tab between them where paths have spaces. A
`.csv` has the columns `image` and `mask` (a header may name them in any order, and others are left
out), with commas, semicolons or tabs between. A third path, `valid`, may name a field of view.

Paths count from the folder of the list and stay in it, see `path_inside`. Empty lines and those
that start with "#" are left out; lines of Windows and a byte order mark are understood.
"""

from __future__ import annotations

import csv
from pathlib import Path

from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.folders import default_class_names
from kseg.data.pairing import complete_parts
from kseg.data.paths import existing_inside, read_text, text_lines

SUFFIXES = (".csv", ".txt", ".lst")
_COLUMNS = {
    "image": ("image", "images", "image_path", "img", "file"),
    "mask": ("mask", "masks", "mask_path", "label", "labels", "label_path", "annotation"),
    "valid": ("valid", "field_of_view", "fov"),
}
_DELIMITERS = ",;\t"

Line = tuple[int, list[str]]


def is_list_layout(folder: Path) -> bool:
    """Tell whether a folder holds a list of training samples."""
    return _find(folder, "train") is not None


def open_lists(name: str, folder: Path) -> Dataset:
    """List the samples; label 255 counts nowhere.

    Without lists for validation and testing the last tenth of the training list is held out; of
    the two, one may be missing and is the other then.

    Raises:
        ValueError: A list is missing or a line of it is bad; the message names the line.
    """
    lists = {part: _find(folder, part) for part in ("train", "val", "test")}
    if lists["train"] is None:
        raise ValueError(f"{folder}: there is no train.csv or train.txt")
    read = {part: read_list(path, folder) for part, path in lists.items() if path is not None}
    return Dataset(name, *complete_parts(read), default_class_names(2), ignore_class=VOID)


def _find(folder: Path, part: str) -> Path | None:
    places = (folder / f"{part}{suffix}" for suffix in SUFFIXES)
    return next((path for path in places if path.is_file()), None)


def read_list(path: Path, root: Path) -> list[SampleFiles]:
    """Return the samples of a list.

    Args:
        path: The list, `.csv` or any other name for `image mask` lines.
        root: Folder that its paths count from.

    Raises:
        ValueError: The list is empty, or a line does not name an image and a mask in `root`.
    """
    text = read_text(path)
    rows = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _plain_rows(text)
    samples = [_sample(cells, root, f"{path}: line {number}") for number, cells in rows]
    if not samples:
        raise ValueError(f"{path}: the list is empty")
    return samples


def _sample(cells: list[str], root: Path, where: str) -> SampleFiles:
    if len(cells) not in (2, 3) or not all(cells[:2]):
        shown = " ".join(cells)[:60]
        raise ValueError(
            f"{where}: there must be an image and a mask, not {shown!r}; put a tab between paths "
            "that have spaces"
        )
    image, mask, *valid = [existing_inside(root, cell, where) for cell in cells if cell]
    return SampleFiles(image, mask, valid[0] if valid else None)


def _plain_rows(text: str) -> list[Line]:
    split = (
        (number, line.split("\t" if "\t" in line else None)) for number, line in text_lines(text)
    )
    return [(number, [cell.strip() for cell in cells if cell.strip()]) for number, cells in split]


def _csv_rows(text: str, path: Path) -> list[Line]:
    lines = text_lines(text)
    delimiter = max(_DELIMITERS, key=lines[0][1].count) if lines else ","
    rows = [(number, _cells(line, delimiter, f"{path}: line {number}")) for number, line in lines]
    columns = _header(rows[0][1]) if rows else None
    if columns is None:
        return rows
    return [(number, _chosen(cells, columns)) for number, cells in rows[1:]]


def _chosen(cells: list[str], columns: list[int]) -> list[str]:
    return [cells[column] if column < len(cells) else "" for column in columns]


def _cells(line: str, delimiter: str, where: str) -> list[str]:
    try:
        rows = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(f"{where}: this is no CSV ({error})") from None
    return [cell.strip() for cell in rows[0]]


def _header(cells: list[str]) -> list[int] | None:
    """Return the places of image, mask and, if it is there, valid; None for a row of paths."""
    lower = [cell.lower() for cell in cells]
    places = [
        next((place for place, cell in enumerate(lower) if cell in names), None)
        for names in _COLUMNS.values()
    ]
    if places[0] is None or places[1] is None:
        return None
    return [place for place in places if place is not None]
