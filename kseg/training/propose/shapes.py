"""Objects on a label map: how many, how close together, and how thin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kseg.training.propose.facts import Shapes

_SPECK = 10
"""Objects of fewer pixels are noise of the labelling."""

_WIDE = 90
"""Percentile of the distances to the border that tells the widest places."""

_REACH = 3.0
"""A gap is narrow where its middle is at most so many pixels from both objects."""


@dataclass(frozen=True)
class MapShapes:
    """What one label map shows.

    Attributes:
        areas: Pixels of each object, `(K,)`.
        close: How many of the objects have another one behind a narrow gap.
        pixels: Pixels of each class, `(num_classes,)`.
        depth: Sum over them of the distance to the class' border, `(num_classes,)`.
        elongation: Sum over them of the elongation of the part they belong to.
        widest: Width of the widest places, `(num_classes,)`.
    """

    areas: np.ndarray
    close: int
    pixels: np.ndarray
    depth: np.ndarray
    elongation: np.ndarray
    widest: np.ndarray


def map_shapes(labels: np.ndarray, num_classes: int, void: int) -> MapShapes:
    """Look at one label map `(H, W)`; labels outside the classes and `void` are left out."""
    valid = (labels >= 0) & (labels < num_classes) & (labels != void)
    areas, close = _objects(labels, valid)
    sums = np.zeros((4, num_classes))
    for label in np.unique(labels[valid]):
        sums[:, label] = _structure(valid & (labels == label))
    return MapShapes(areas, close, *sums)


def summarise_shapes(maps: Sequence[MapShapes]) -> Shapes:
    """Return what several label maps show; each pixel counts the same."""
    areas = np.concatenate([one.areas for one in maps])
    pixels, depth, elongation = (
        np.sum([getattr(one, name) for one in maps], axis=0)
        for name in ("pixels", "depth", "elongation")
    )
    seen = np.maximum(pixels, 1)
    return Shapes(
        maps=len(maps),
        objects=float(np.median([len(one.areas) for one in maps])),
        object_pixels=float(np.median(areas)) if len(areas) else 0.0,
        close_share=sum(one.close for one in maps) / max(len(areas), 1),
        widths=_floats(4 * depth / seen),
        widest=_floats(np.max([one.widest for one in maps], axis=0)),
        elongations=_floats(elongation / seen),
    )


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 2) for value in values)


def _objects(labels: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the areas of the objects, and how many have another one near."""
    from skimage.measure import label

    # 4-connectivity, as in `kseg.data.edge_weights`, which the finding is for.
    numbered = label(np.where(valid, labels, 0), background=0, connectivity=1)
    areas = np.bincount(numbered.ravel())
    areas[0] = 0
    kept = areas >= _SPECK
    numbered = np.where(kept[numbered], numbered, 0)
    return areas[kept], _count_close(numbered, valid & (labels == 0))


def _count_close(objects: np.ndarray, ground: np.ndarray) -> int:
    """Count the objects that meet another one when all grow into the ground."""
    if not objects.any():
        return 0
    distance, pixel = cv2.distanceTransformWithLabels(
        (objects == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(pixel.max() + 1, objects.dtype)
    owner[pixel[objects > 0]] = objects[objects > 0]
    grown = np.where(distance <= _REACH, owner[pixel], 0)
    close: set[int] = set()
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        one, other = grown[here], grown[there]
        meet = (one != other) & (one > 0) & (other > 0) & (ground[here] | ground[there])
        close.update(one[meet].tolist(), other[meet].tolist())
    return len(close)


def _structure(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Return pixels, depth, elongation and greatest width of the True part of a mask.

    Within a strip of width w the mean distance to the border is w / 4; a part of area A is then
    A / w long and A / w^2 times as long as wide. A disk has 1.8, a square 2.3.
    """
    pixels = float(mask.sum())
    if mask.all():
        side = min(mask.shape)
        return pixels, pixels * side / 4, pixels * (pixels / side**2), side
    image = mask.astype(np.uint8)
    # The border runs half a pixel before the first pixel outside.
    depth = cv2.distanceTransform(image, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5 * mask
    _, parts = cv2.connectedComponents(image, connectivity=8)
    areas = np.bincount(parts.ravel())[1:]
    widths = 4 * np.bincount(parts.ravel(), depth.ravel())[1:] / areas
    widest = 2 * float(np.percentile(depth[mask], _WIDE))
    return pixels, float(depth.sum()), float((areas * areas / widths**2).sum()), widest
