"""Results as one COCO file: an annotation for each object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kseg.files import replacing_text
from kseg.inference.outputs.base import Look, Result
from kseg.inference.outputs.outlines import edge_polygon
from kseg.inference.postprocess import objects_of

FILE_NAME = "coco.json"


class CocoFile:
    """One JSON file for all images.

    Objects are connected regions of a class, pixels that touch at a corner included. Those without
    holes are polygons along the edges of their pixels, the others run-length codes, since a COCO
    polygon has no holes. Both are exact. The category id of a class is its label, or one more where
    label 0 is no background, as ids begin with 1.
    """

    needs_probabilities = False

    def __init__(self, look: Look):
        self._look = look
        self._first = 0 if look.background == 0 else 1
        self.final = [look.folder / FILE_NAME]

    def targets(self, name: Path) -> list[Path]:
        """Return nothing: there is one file for all images."""
        return []

    def write(self, result: Result) -> dict[str, Any]:
        """Return the image and its annotations."""
        height, width = result.labels.shape
        return {
            "image": {"file_name": result.item.file_name, "height": height, "width": width},
            "annotations": [
                {"category_id": label + self._first, **annotation}
                for label, annotation in _annotations(result.labels, self._look.background)
            ],
        }

    def finish(self, records: Iterable[dict[str, Any]]) -> None:
        """Number images and annotations and write the file, one annotation after the other."""
        images: list[dict[str, Any]] = []
        categories = [
            {"id": label + self._first, "name": name}
            for label, name in enumerate(self._look.class_names)
            if label != self._look.background
        ]
        with replacing_text(self.final[0]) as file:
            file.write('{"annotations": [')
            for number, one in enumerate(_numbered(records, images), 1):
                file.write("\n" if number == 1 else ",\n")
                file.write(json.dumps({"id": number, **one}))
            rest = json.dumps({"images": images, "categories": categories}, ensure_ascii=False)
            file.write(f"\n], {rest[1:]}\n")


def _numbered(
    records: Iterable[dict[str, Any]], images: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the annotations with the number of their image, and add each image to a list."""
    for image_id, record in enumerate(records, 1):
        images.append({"id": image_id, **record["image"]})
        for one in record["annotations"]:
            yield {"image_id": image_id, **one}


def _annotations(labels: np.ndarray, background: int | None) -> list[tuple[int, dict[str, Any]]]:
    """Return label and annotation of each object."""
    from scipy.ndimage import find_objects

    objects, found = objects_of(labels, background), []
    for number, (rows, columns) in enumerate(find_objects(objects), 1):
        mask = objects[rows, columns] == number
        y, x = (int(place[0]) for place in np.nonzero(mask))
        corner = columns.start, rows.start
        annotation = {
            "segmentation": _segmentation(mask, corner, labels.shape),
            "area": int(mask.sum()),
            "bbox": [*corner, mask.shape[1], mask.shape[0]],
            "iscrowd": 0,
        }
        found.append((int(labels[rows.start + y, columns.start + x]), annotation))
    return found


def _segmentation(
    mask: np.ndarray, corner: tuple[int, int], size: tuple[int, ...]
) -> list[list[int]] | dict[str, Any]:
    polygon = edge_polygon(mask)
    if polygon is not None:
        return [(polygon + corner).ravel().tolist()]
    return {"size": list(size), "counts": run_lengths_of(mask, corner, size)}


def run_lengths_of(mask: np.ndarray, corner: tuple[int, int], size: tuple[int, ...]) -> list[int]:
    """Return lengths of runs of 0 and 1 in turn, down the columns of an image.

    Args:
        mask: bool `(h, w)`, a part of the image; all around it is 0.
        corner: Column and row of its first pixel.
        size: Height and width of the image.
    """
    columns, rows = np.nonzero(mask.T)
    places = (columns + corner[0]) * size[0] + rows + corner[1]
    breaks = np.flatnonzero(np.diff(places) != 1)
    starts = places[np.r_[0, breaks + 1]]
    ends = places[np.r_[breaks, len(places) - 1]] + 1
    borders = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(borders, prepend=0, append=size[0] * size[1]).tolist()
    # The last run is of 0 and may be empty.
    return runs if runs[-1] else runs[:-1]
