"""Label maps as outlines, in an order of drawing that needs no holes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

# A label map has labels below it.
_NOTHING = 255


class Outline(NamedTuple):
    """What surrounds a connected region.

    Attributes:
        label: Label of the region.
        points: Centres of its outermost pixels, int32 `(n, 2)` as x and y.
    """

    label: int
    points: np.ndarray


def nested_outlines(labels: np.ndarray, background: int | None = 0) -> list[Outline]:
    """Return outlines that give a label map again, if each is filled over those before it.

    What lies in a hole of a region comes after that region, be it background. Regions are
    4-connected: a region lies then either in a hole of another as a whole or not at all, so that
    filling each outline without its holes is right. Background that nothing was filled over is
    left out.

    Args:
        labels: uint8 `(H, W)`, all below 255.
        background: Label that is there before anything is drawn, or None.
    """
    drawn = np.full(labels.shape, _NOTHING if background is None else background, np.uint8)
    outlines = []
    for label, (y, x), points in _regions(labels):
        if drawn[y, x] != label:
            cv2.drawContours(drawn, [points], -1, label, cv2.FILLED)
            outlines.append(Outline(label, points[:, 0]))
    return outlines


def _regions(labels: np.ndarray) -> Iterator[tuple[int, tuple[int, int], np.ndarray]]:
    """Yield label, a pixel and the outline of each region, regions in holes of others last."""
    from scipy.ndimage import find_objects
    from skimage.measure import label

    regions = label(labels, background=-1, connectivity=1)
    boxes = list(enumerate(find_objects(regions), 1))
    # A box in a hole is smaller in height and width than the box around the hole.
    boxes.sort(key=lambda one: -np.prod([side.stop - side.start for side in one[1]]))
    for number, (rows, columns) in boxes:
        inside = (regions[rows, columns] == number).astype(np.uint8)
        corner = columns.start, rows.start
        (points,), _ = cv2.findContours(
            inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner
        )
        y, x = points[0, 0, 1], points[0, 0, 0]
        yield int(labels[y, x]), (int(y), int(x)), points


def at_most(points: np.ndarray, most: int) -> np.ndarray:
    """Return an outline of at most `most` points, as it is or as near to it as they allow.

    Args:
        points: int32 `(n, 2)`.
        most: Most points.
    """
    simple, tolerance = points, 0.5
    while len(simple) > most:
        simple = cv2.approxPolyDP(points, tolerance, closed=True)[:, 0]
        tolerance *= 2
    return simple


def edge_polygon(mask: np.ndarray) -> np.ndarray | None:
    """Return the polygon along the edges of the pixels of a region, or None if it has holes.

    Args:
        mask: bool `(h, w)`; one region, its pixels connected at sides or corners.

    Returns:
        Corners int `(n, 2)` as x and y; a pixel at (x, y) spans x..x+1 and y..y+1.
    """
    # With four pixels for each, the outline through their centres goes along each edge by itself.
    doubled = mask.repeat(2, 0).repeat(2, 1).astype(np.uint8)
    contours, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if len(contours) > 1:
        return None
    corners = (contours[0][:, 0] + 1) // 2
    corners = corners[(corners != np.roll(corners, 1, axis=0)).any(1)]
    before, after = corners - np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0) - corners
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    return corners[turns]
