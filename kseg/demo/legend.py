"""The table beside the picture: colour, name and area of each class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from kseg.palette import class_palette


def class_areas(labels: np.ndarray, class_names: Sequence[str]) -> list[tuple[int, str, int]]:
    """Return label, name and number of pixels of each class of a label map `(H, W)`."""
    counts = np.bincount(labels.ravel(), minlength=len(class_names))
    return [(label, name, int(counts[label])) for label, name in enumerate(class_names)]


def legend(labels: np.ndarray, class_names: Sequence[str]) -> str:
    """Return an HTML table of the classes in a label map, and the names of those that are not."""
    areas = class_areas(labels, class_names)
    rows = "".join(_row(*area, labels.size) for area in areas if area[2])
    absent = ", ".join(escape(name) for _, name, pixels in areas if not pixels)
    note = f"<p>Not found: {absent}</p>" if absent else ""
    head = "<tr><th></th><th>class</th><th>pixels</th><th>area</th></tr>"
    return f'<table class="legend">{head}{rows}</table>{note}'


def _row(label: int, name: str, pixels: int, total: int) -> str:
    red, green, blue = class_palette()[label]
    swatch = f'<span style="background: rgb({red}, {green}, {blue})"></span>'
    return (
        f"<tr><td>{swatch}</td><td>{escape(name)}</td><td>{pixels:,}</td>"
        f"<td>{pixels / total:.2%}</td></tr>"
    )
