"""The U-Net paper's map of weights: thin gaps between objects count more than open ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

# Border terms below this are left out, so that an object matters near itself only.
_SMALLEST = 1e-4


def edge_weights(
    labels: np.ndarray,
    *,
    w0: float = 10.0,
    sigma: float = 5.0,
    class_weights: Sequence[float] | None = None,
    ignore_class: int | None = None,
    instances: np.ndarray | None = None,
    background: int = 0,
) -> np.ndarray:
    """Return the weight of each pixel in a loss, float32 `(H, W)`.

    `w(x) = w_c(x) + w0 * exp(-(d1(x) + d2(x))**2 / (2 * sigma**2))` (Ronneberger et al. 2015,
    arXiv:1505.04597), `w_c` being the weight of the pixel's class, `d1` and `d2` the distances in
    pixels to the nearest and to the second nearest object, between the centres of pixels.

    The second summand is there on background pixels only, as in the paper's figure.
    Within an object, where `d1 = 0`, the formula would strengthen the rims on both sides of a gap
    even more than the gap. So objects that touch get none: draw at least one pixel of background
    between them, as the paper does. It is 0 with fewer than two objects, and left out where it
    would be below 1e-4 because the second object is too far away (24 pixels at the defaults).

    Args:
        labels: Label map `(H, W)` of whole numbers.
        w0: Height of the border term, at least 0.
        sigma: Its width in pixels, above 0.
        class_weights: Weights of at least 0, one per class; None gives every class 1.
        ignore_class: Label of pixels that get weight 0 and belong to no object, or None.
        instances: Number of the object that each pixel belongs to, `(H, W)`, 0 for none. By
            default objects are the connected parts of each class but the background. Parts that
            meet at a corner only are two objects (4-connectivity): a line of background one pixel
            wide separates them also where it runs diagonally.
        background: Label of what lies between objects.

    Raises:
        ValueError: An argument out of range, a label without class weight, or an object of
            `instances` on background.
    """
    _check(labels, w0, sigma)
    if instances is not None:
        _check_instances(instances, labels, background)
    valid = np.ones(labels.shape, bool) if ignore_class is None else labels != ignore_class
    weights = _weights_of_classes(labels, valid, class_weights)
    objects = (
        _components(labels, valid, background) if instances is None else _numbered(instances, valid)
    )
    between = _between(objects, w0, sigma)
    weights = weights + np.where(labels == background, between, 0.0)
    return np.where(valid, weights, 0.0).astype(np.float32)


def _check(labels: np.ndarray, w0: float, sigma: float) -> None:
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"edge weights need a label map (H, W) of whole numbers, got {labels.dtype} of shape "
            f"{labels.shape}"
        )
    if not (w0 >= 0 and math.isfinite(w0) and sigma > 0 and math.isfinite(sigma)):
        raise ValueError(f"edge weights need w0 >= 0 and sigma > 0, got {w0} and {sigma}")


def _check_instances(instances: np.ndarray, labels: np.ndarray, background: int) -> None:
    if instances.shape != labels.shape or instances.dtype.kind not in "iu":
        raise ValueError(
            f"instances must be whole numbers of the labels' shape {labels.shape}, got "
            f"{instances.dtype} of shape {instances.shape}"
        )
    if ((instances > 0) & (labels == background)).any():
        raise ValueError(f"instances has objects where labels is background ({background})")


def _weights_of_classes(
    labels: np.ndarray, valid: np.ndarray, class_weights: Sequence[float] | None
) -> np.ndarray:
    if class_weights is None:
        return np.ones(labels.shape)
    table = np.asarray(class_weights, np.float64)
    if table.ndim != 1 or not (np.isfinite(table) & (table >= 0)).all():
        raise ValueError(f"class weights must be at least 0, got {class_weights}")
    wrong = labels[valid & ((labels < 0) | (labels >= len(table)))]
    if wrong.size:
        raise ValueError(f"label {wrong[0]} has no class weight; there are {len(table)}")
    return table[np.where(valid, labels, 0)]


def _components(labels: np.ndarray, valid: np.ndarray, background: int) -> np.ndarray:
    """Number the connected parts of equal label that are no background from 1 on."""
    from skimage.measure import label

    return label(np.where(valid, labels, background), background=background, connectivity=1)


def _numbered(instances: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Number the objects from 1 on without gaps, whatever numbers they have."""
    kept = np.where(valid & (instances > 0), instances, 0)
    numbers, objects = np.unique(kept, return_inverse=True)
    return objects.reshape(instances.shape) + (numbers[0] != 0)


def _between(objects: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """Return the border term of every pixel; 0 far from a second object."""
    if objects.max(initial=0) < 2 or w0 <= _SMALLEST:
        return np.zeros(objects.shape)
    reach = sigma * math.sqrt(2 * math.log(w0 / _SMALLEST))
    nearest, second = _two_distances(objects, math.ceil(reach))
    return w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2))


def _two_distances(objects: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances to the nearest two objects, infinite beyond `margin` around them."""
    from scipy.ndimage import find_objects

    nearest, second = np.full((2, *objects.shape), np.inf)
    for number, box in enumerate(find_objects(objects), 1):
        window = tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in box)
        outside = (objects[window] != number).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        near, far = nearest[window], second[window]  # views: the results go into the whole maps
        np.minimum(far, np.maximum(near, distance), out=far)
        np.minimum(near, distance, out=near)
    return nearest, second
