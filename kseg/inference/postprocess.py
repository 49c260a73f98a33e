"""Cleaning up label maps: specks, holes, thin bridges, objects that touch."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class PostProcess:
    """What is done to a label map, in this order; each step is off by default.

    An object is a connected region of one class that is not the background; pixels that touch at a
    corner are connected. Where a step takes pixels from an object, they get the label of the
    nearest pixel that stays, so no label comes in that was not there: background in the background,
    and the label of an object inside of it. Only separating objects that touch takes background
    pixels that were none.

    Attributes:
        fill_holes: Background regions of at most this many pixels that are enclosed by one class,
            and touch no other, get that class.
        opening: Parts of objects that a disk of this radius in pixels does not fit into are
            removed: hairs, bridges, specks.
        min_size: Objects of fewer pixels are removed.
        largest: Of each class only the largest object stays.
        split_touching: Objects of one class that touch are cut apart where they are narrower, by
            twice this many pixels or more, than on both sides; the cut is a line of background.
    """

    fill_holes: int = 0
    opening: int = 0
    min_size: int = 0
    largest: bool = False
    split_touching: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything is to be done."""
        return any(asdict(self).values())

    def check(self, background: int | None) -> None:
        """Refuse steps that need a background where there is none.

        Raises:
            ValueError: There is such a step.
        """
        if background is None and (self.fill_holes or self.split_touching):
            raise ValueError(
                "--fill_holes and --split_touching need a model whose first class is called "
                "background"
            )

    def __call__(self, labels: np.ndarray, background: int | None = 0) -> np.ndarray:
        """Return the cleaned label map.

        Args:
            labels: uint8 `(H, W)`; it is not changed.
            background: Label of the background, or None where every class is an object.

        Raises:
            ValueError: Holes are to be filled or objects to be split, and there is no background.
        """
        self.check(background)
        if self.fill_holes and background is not None:
            labels = fill_holes(labels, self.fill_holes, background)
        if self.opening:
            labels = open_objects(labels, self.opening, background)
        if self.min_size > 1:
            labels = remove_small(labels, self.min_size, background)
        if self.largest:
            labels = keep_largest(labels, background)
        if self.split_touching and background is not None:
            labels = split_touching(labels, self.split_touching, background)
        return labels


def objects_of(labels: np.ndarray, background: int | None) -> np.ndarray:
    """Return the number of the object that each pixel belongs to, 0 for background: `(H, W)`."""
    from skimage.measure import label

    return label(labels, background=-1 if background is None else background, connectivity=2)


def fill_holes(labels: np.ndarray, size: int, background: int = 0) -> np.ndarray:
    """Give background regions of at most `size` pixels the one class that touches them.

    Regions at the edge of the image, or between two classes, are no holes.
    """
    from skimage.measure import label, regionprops

    filled = labels.copy()
    regions = label(labels == background, connectivity=1)
    for region in regionprops(regions):
        top, left, bottom, right = region.bbox
        at_edge = not (top and left) or bottom == labels.shape[0] or right == labels.shape[1]
        if region.area > size or at_edge:
            continue
        around = labels[top - 1 : bottom + 1, left - 1 : right + 1]
        hole = regions[top - 1 : bottom + 1, left - 1 : right + 1] == region.label
        classes = np.unique(around[_edge(hole)])
        if len(classes) == 1:
            filled[top - 1 : bottom + 1, left - 1 : right + 1][hole] = classes[0]
    return filled


def _edge(mask: np.ndarray) -> np.ndarray:
    """Return the pixels that share a side with a region and are outside of it."""
    from scipy.ndimage import binary_dilation

    return binary_dilation(mask) & ~mask


def open_objects(labels: np.ndarray, radius: int, background: int | None = 0) -> np.ndarray:
    """Remove the parts of objects that a disk of `radius` pixels does not fit into."""
    from skimage.morphology import isotropic_opening

    stays = np.full(labels.shape, True) if background is None else labels == background
    for value in _classes(labels, background):
        mask = labels == value
        stays = np.where(mask, isotropic_opening(mask, radius), stays)
    return _grown(labels, stays, background)


def remove_small(labels: np.ndarray, size: int, background: int | None = 0) -> np.ndarray:
    """Remove objects of fewer than `size` pixels."""
    objects = objects_of(labels, background)
    sizes = np.bincount(objects.ravel())
    sizes[0] = size
    return _grown(labels, (sizes >= size)[objects], background)


def keep_largest(labels: np.ndarray, background: int | None = 0) -> np.ndarray:
    """Remove all objects of a class but its largest; of equal ones the first stays."""
    objects = objects_of(labels, background)
    sizes = np.bincount(objects.ravel())
    stays = np.zeros(len(sizes), bool)
    stays[0] = True
    for value in _classes(labels, background):
        numbers = np.unique(objects[labels == value])
        stays[numbers[np.argmax(sizes[numbers])]] = True
    return _grown(labels, stays[objects], background)


def split_touching(labels: np.ndarray, depth: int, background: int = 0) -> np.ndarray:
    """Cut objects of one class apart at their necks, by lines of background.

    This is a watershed of the distance to the edge of an object. Its basins begin at maxima that
    are at least `depth` higher than the way to a higher one, so that rings and wires, which are as
    wide everywhere, stay whole.

    Args:
        labels: Label map.
        depth: Pixels by which the distance to the edge is less in a neck than on both sides.
        background: Label of the background.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import label
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    result = labels.copy()
    for value in _classes(labels, background):
        mask = labels == value
        if mask.all():
            continue
        # The edge of the image is no edge of an object.
        inside = distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
        # skimage's h_maxima takes every pixel of the greatest height for a maximum of its own.
        lowered = reconstruction(inside - depth, inside)
        centres = label(local_maxima(lowered) & mask, connectivity=2)
        basins = watershed(-inside, centres, mask=mask, watershed_line=True)
        objects = objects_of(mask, 0)
        found = np.unique(np.stack([objects[centres > 0], centres[centres > 0]]), axis=1)
        several = np.bincount(found[0], minlength=objects.max() + 1) > 1
        result[mask & (basins == 0) & several[objects]] = background
    return result


def _classes(labels: np.ndarray, background: int | None) -> np.ndarray:
    values = np.unique(labels)
    return values[values != background] if background is not None else values


def _grown(labels: np.ndarray, stays: np.ndarray, background: int | None) -> np.ndarray:
    """Return labels in which pixels that do not stay have the label of the nearest that does.

    If none stays all is background, or unchanged where there is none.
    """
    from scipy.ndimage import distance_transform_edt

    if stays.all():
        return labels
    if not stays.any():
        return labels if background is None else np.full_like(labels, background)
    rows, columns = distance_transform_edt(~stays, return_distances=False, return_indices=True)
    return labels[rows, columns]
