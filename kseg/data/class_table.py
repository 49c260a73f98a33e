"""Tables of class names and colours that come beside data sets.

- `classes.csv`, `class_dict.csv`: columns `name, r, g, b` (with or without that header; colours
  may be missing), as with CamVid.
- `label_colors.txt`: `r g b name`, as with CamVid and CVAT.
- `labelmap.txt`: `name:r,g,b:parts:actions`, as CVAT writes it.
- `classes.txt`: a name in each line.

The row number, from 0, is the label, whether files hold labels or colours. A row named void,
ignore, unlabelled, unlabeled or `__ignore__` counts nowhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kseg.data.colours import Colour
from kseg.data.paths import read_text, text_lines

MAX_CLASSES = 255
_VOID_NAMES = {"void", "ignore", "__ignore__", "unlabelled", "unlabeled"}

Row = tuple[str, list[str]]


@dataclass(frozen=True)
class ClassTable:
    """Names, and maybe colours, of labels 0, 1, ...

    Attributes:
        names: Name of each label.
        colours: RGB colour of each label, or None.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None = None

    @property
    def void(self) -> int | None:
        """The label that counts nowhere, or None."""
        rows = [row for row, name in enumerate(self.names) if name.lower() in _VOID_NAMES]
        return rows[0] if rows else None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; void is left out where it is the last row.

        Elsewhere it stays, since the labels behind it are fixed by their rows.
        """
        return self.names[:-1] if self.void == len(self.names) - 1 else self.names


def find_class_table(folder: Path) -> ClassTable | None:
    """Read the table of classes that lies in a data set's folder; None where there is none.

    Raises:
        ValueError: The table cannot be understood.
    """
    for name, parse in _PARSERS.items():
        if (folder / name).is_file():
            return parse_class_table(read_text(folder / name), folder / name, parse)
    return None


def parse_class_table(
    text: str, where: object, parse: Callable[[str, object], list[Row]]
) -> ClassTable:
    """Return the table that a text holds.

    Args:
        text: The content of the file.
        where: The file, for messages.
        parse: `parse_csv`, `parse_label_colours`, `parse_labelmap` or `parse_names`.

    Raises:
        ValueError: Rows without name, colours that are no three numbers in 0..255, names or
            colours that appear twice, more than 255 rows.
    """
    rows = parse(text, where)
    names = tuple(name for name, _ in rows)
    if not 1 <= len(rows) <= MAX_CLASSES:
        raise ValueError(f"{where}: the table must have 1 to {MAX_CLASSES} rows, not {len(rows)}")
    _check_unique("name", names, where)
    if "" in names:
        raise ValueError(f"{where}: a row has no name")
    if not any(numbers for _, numbers in rows):
        return ClassTable(names)
    colours = tuple(parse_colour(numbers, f"{where}: row {name!r}") for name, numbers in rows)
    _check_unique("colour", colours, where)
    return ClassTable(names, colours)


def parse_colour(numbers: Sequence[object], where: object) -> Colour:
    """Return a colour of three whole numbers in 0..255, given as numbers or text.

    Raises:
        ValueError: They are something else.
    """
    values = [int(n) for n in map(str, numbers) if re.fullmatch(r"\s*[0-9]{1,3}\s*", n)]
    if len(values) != 3 or len(numbers) != 3 or max(values) > 255:
        shown = ",".join(map(str, numbers))[:40]
        raise ValueError(f"{where}: a colour is three numbers in 0..255, not {shown!r}")
    return values[0], values[1], values[2]


def _check_unique(kind: str, values: Sequence[object], where: object) -> None:
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"{where}: the {kind} {twice!r} appears twice")


def parse_csv(text: str, where: object) -> list[Row]:
    """Return the rows of `name, r, g, b`, with or without a header."""
    rows: list[Row] = []
    for number, line in text_lines(text):
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error as error:
            raise ValueError(f"{where}: line {number}: this is no CSV ({error})") from None
        if not rows and cells[0].lower() in ("name", "class", "label"):
            continue
        rows.append((cells[0], [cell for cell in cells[1:] if cell]))
    return rows


def parse_label_colours(text: str, where: object) -> list[Row]:
    """Return the rows of `r g b name`."""
    rows = []
    for number, line in text_lines(text):
        cells = line.split(maxsplit=3)
        if len(cells) < 4:
            raise ValueError(f"{where}: line {number}: a row is `r g b name`, not {line[:40]!r}")
        rows.append((cells[3].strip(), cells[:3]))
    return rows


def parse_labelmap(text: str, where: object) -> list[Row]:
    """Return the rows of `name:r,g,b:parts:actions`."""
    rows = []
    for number, line in text_lines(text):
        cells = line.split(":")
        if len(cells) < 2:
            raise ValueError(f"{where}: line {number}: a row is `name:r,g,b::`, not {line[:40]!r}")
        rows.append((cells[0].strip(), [cell for cell in cells[1].split(",") if cell.strip()]))
    return rows


def parse_names(text: str, where: object) -> list[Row]:
    """Return the rows of one name each."""
    return [(line, []) for _, line in text_lines(text)]


_PARSERS = {
    "classes.csv": parse_csv,
    "class_dict.csv": parse_csv,
    "labelmap.txt": parse_labelmap,
    "label_colors.txt": parse_label_colours,
    "classes.txt": parse_names,
}
