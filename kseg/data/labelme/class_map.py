"""One map from label names to class numbers for a whole folder, never one per image."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kseg.data.labelme.shapes import Shape
from kseg.data.labelme.strict_json import quote
from kseg.data.paths import read_text, text_lines

IGNORE = "__ignore__"
BACKGROUND = "_background_"
_BACKGROUNDS = (BACKGROUND, "background")
CLASS_FILE = "classes.txt"
"""Read by folders of images and label maps too, see `kseg.data.class_table`."""
MAX_CLASSES = 255


@dataclass(frozen=True)
class ClassMap:
    """Names of the classes; the place of a name is its class number.

    Attributes:
        names: Name of each class; the background is first.
        origin: Where the names come from, for messages.
    """

    names: tuple[str, ...] = (BACKGROUND,)
    origin: str = "the class names"
    numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            ValueError: Names twice, more than 255, or one that a file cannot hold.
        """
        comment = next((name for name in self.names if name.startswith("#")), None)
        if comment is not None:
            raise ValueError(
                f"{self.origin}: the class {quote(comment)} begins with #, which marks comments in "
                "files of classes; rename it"
            )
        twice = next((n for i, n in enumerate(self.names) if n in self.names[:i]), None)
        if twice is not None:
            raise ValueError(f"{self.origin}: the class {quote(twice)} is listed twice")
        if len(self.names) > MAX_CLASSES:
            raise ValueError(
                f"{self.origin}: {len(self.names)} classes are more than {MAX_CLASSES}, the most "
                "that an 8-bit label map can hold"
            )
        numbers = {name: number for number, name in enumerate(self.names)}
        object.__setattr__(self, "numbers", {**dict.fromkeys(_BACKGROUNDS, 0), **numbers})

    def value(self, shape: Shape, ignore_class: int) -> int:
        """Return the label of a shape; that of `__ignore__` is `ignore_class`.

        Raises:
            ValueError: A label that is no class.
        """
        if shape.label == IGNORE:
            return ignore_class
        if shape.label not in self.numbers:
            close = difflib.get_close_matches(shape.label, self.names, n=1)
            advice = f"did you mean {quote(close[0])}?" if close else "add it there"
            raise ValueError(f"{shape.where}: the label is not in {self.origin}; {advice}")
        return self.numbers[shape.label]

    def check(self, shapes: Iterable[Shape]) -> None:
        """Raise ValueError for the first label that is no class, with the names of all such."""
        unknown = [s for s in shapes if s.label != IGNORE and s.label not in self.numbers]
        names = list(dict.fromkeys(shape.label for shape in unknown))
        if not names:
            return
        try:
            self.value(unknown[0], 0)
        except ValueError as error:
            more = f" (also unknown: {', '.join(map(quote, names[1:9]))})" if names[1:] else ""
            raise ValueError(f"{error}{more}") from None


def read_labels(path: Path) -> ClassMap:
    """Read a file with one class name per line, in the order of the class numbers.

    `_background_` (or `background`) is class 0 and comes first; where it is missing it is put
    there. `__ignore__` is no class and may stand anywhere. Empty lines, and those that begin with
    "#", are left out.

    Raises:
        ValueError: The file cannot be read, is no UTF-8, names a class twice, more than 255, or
            the background after another class.
    """
    names = [name for _, name in text_lines(read_text(path)) if name != IGNORE]
    return ClassMap(_background_first(names, path), str(path))


def _background_first(names: Sequence[str], path: Path) -> tuple[str, ...]:
    for name in _BACKGROUNDS:
        if name in names[1:]:
            raise ValueError(
                f"{path}: {name} is class 0, so it must be the first class of the file"
            )
    has_background = bool(names) and names[0] in _BACKGROUNDS
    return tuple(names) if has_background else (BACKGROUND, *names)


def class_map_of(labels: Iterable[str], origin: str) -> ClassMap:
    """Return the map of the labels that occur: background, then the others sorted.

    Raises:
        ValueError: More than 255 classes.
    """
    found = set(labels) - {IGNORE, *_BACKGROUNDS}
    return ClassMap((BACKGROUND, *sorted(found)), origin)
