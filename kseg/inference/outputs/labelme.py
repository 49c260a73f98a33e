"""Results as labelme files, to look at and to correct by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kseg.files import replacing_text
from kseg.inference.outputs.base import Look, Result
from kseg.inference.outputs.outlines import at_most, nested_outlines

# labelme files with more points are refused by `kseg.data.labelme`.
MOST_POINTS = 20_000
CLASS_FILE = "classes.txt"


class LabelmeFiles:
    """A JSON file per image, and the class names in the order of their labels.

    A labelme polygon has no holes. Polygons are therefore written from the outside to the inside,
    and what is in a hole, background too, is a polygon of its own that is drawn later. Drawn as
    labelme does they give the label map again, pixel for pixel; only outlines of more points than a
    file may have are simplified.
    """

    needs_probabilities = False

    def __init__(self, look: Look):
        self._look = look
        self.final = [look.folder / CLASS_FILE]

    def targets(self, name: Path) -> list[Path]:
        """Return the one file of an image."""
        return [self._look.target(name, ".json")]

    def write(self, result: Result) -> None:
        """Write the polygons of an image."""
        (path,) = self.targets(result.item.name)
        document = labelme_document(result.labels, self._look)
        document["imagePath"] = _relative(result.item.path, path.parent)
        with replacing_text(path) as file:
            file.write(json.dumps(document, ensure_ascii=False))

    def finish(self, records: Iterable[None]) -> None:
        """Write the class names, as `kseg json_to_dataset` reads them."""
        with replacing_text(self.final[0]) as file:
            file.writelines(f"{name}\n" for name in self._look.class_names)


def _relative(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(file)).as_posix()


def labelme_document(labels: np.ndarray, look: Look) -> dict[str, Any]:
    """Return what a labelme file holds, without the name of the image.

    Args:
        labels: uint8 `(H, W)`.
        look: The classes.
    """
    shapes = [
        _shape(look.class_names[label], at_most(points, MOST_POINTS))
        for label, points in nested_outlines(labels, look.background)
    ]
    height, width = labels.shape
    size = {"imageHeight": height, "imageWidth": width}
    return {"version": "5.5.0", "flags": {}, "shapes": shapes, "imageData": None, **size}


def _shape(name: str, points: np.ndarray) -> dict[str, Any]:
    corners = points.tolist()
    # A pixel and a line have fewer corners than a polygon must.
    corners += corners[-1:] * (3 - len(corners))
    return {
        "label": name,
        "points": corners,
        "group_id": None,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
        "mask": None,
    }
