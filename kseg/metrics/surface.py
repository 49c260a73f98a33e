"""Distances between the boundaries of two masks: Hausdorff, their average, surface Dice.

A boundary pixel is a pixel of the mask that has a neighbour outside the mask across one of its
faces (4 neighbours in 2-D, 6 in 3-D). What lies beyond the image is outside: a mask that the
image border cuts has boundary pixels there. MONAI and MedPy draw boundaries the same way.
Distances run from pixel centre to pixel centre in the unit of `spacing`, and every boundary
pixel counts once, also where pixels are not square.

Empty masks, in all functions here: two empty masks agree (distance 0, surface Dice 1); one
empty mask is infinitely far from the other (distance infinity, surface Dice 0).
"""

import math
from dataclasses import dataclass

import numpy as np

from kseg.metrics.arrays import binary_mask, same_shape


@dataclass(frozen=True)
class SurfaceDistances:
    """How far the boundary pixels of two masks are from each other's boundary.

    Attributes:
        of_truth: float64 `(T,)`, from each boundary pixel of the truth to the nearest of the
            prediction.
        of_prediction: float64 `(P,)`, the other way round.
    """

    of_truth: np.ndarray
    of_prediction: np.ndarray

    def hausdorff(self, percentile=100.0):
        """Return the larger of the two percentiles, see `hausdorff_distance`."""
        if not 0 < percentile <= 100:
            raise ValueError(f"percentile must be above 0 and at most 100, got {percentile!r}.")
        both = (self.of_truth, self.of_prediction)
        return self._of_pairs(lambda: max(np.percentile(part, percentile) for part in both))

    def average(self):
        """Return the mean over the boundary pixels of both masks."""
        return self._of_pairs(lambda: np.concatenate([self.of_truth, self.of_prediction]).mean())

    def dice(self, tolerance):
        """Return the share of both boundaries within `tolerance`, see `surface_dice`."""
        if not 0 <= tolerance < math.inf:
            raise ValueError(f"tolerance must be a number from 0 on, got {tolerance!r}.")
        # Three pixels of 0.1 are 0.30000000000000004 apart: rounding must not decide.
        limit = tolerance * (1 + 1e-9)
        total = self.of_truth.size + self.of_prediction.size
        near = np.sum(self.of_truth <= limit) + np.sum(self.of_prediction <= limit)
        return float(near / total) if total else 1.0

    def _of_pairs(self, formula):
        """Return `formula()` where both masks have a boundary."""
        if self.of_truth.size and self.of_prediction.size:
            return float(formula())
        return math.inf if self.of_truth.size or self.of_prediction.size else 0.0


def surface_distances(truth, prediction, *, spacing=1.0):
    """Measure from every boundary pixel of each mask to the boundary of the other one.

    Args:
        truth: Mask of one image or volume, boolean or of 0 and 1, `(H, W)` or n-D. A batch
            would be taken for a volume.
        prediction: Mask of the same shape.
        spacing: Size of a pixel, one number or one per axis, above 0.

    Returns:
        The `SurfaceDistances`; infinite where the other mask is empty.

    Raises:
        ValueError: If the shapes differ, a mask is not binary, or `spacing` does not fit.
    """
    truth, prediction = checked_masks(truth, prediction)
    spacing = per_axis(spacing, truth.ndim)
    truth, prediction = (_boundary(mask) for mask in _cropped(truth, prediction))
    return SurfaceDistances(
        _distances(truth, prediction, spacing), _distances(prediction, truth, spacing)
    )


def hausdorff_distance(truth, prediction, *, percentile=100.0, spacing=1.0):
    """Measure the Hausdorff distance (HD), or HD95 with `percentile=95`.

    The percentile, interpolated linearly, is taken in each direction, and the larger of the two
    counts, as MONAI does. Over the pooled distances, as MedPy takes it, the longer boundary
    would hide how bad the shorter one is, and 5 % of a long boundary are more than all of a
    small false island.

    Args:
        truth: Mask, see `surface_distances`.
        prediction: Mask of the same shape.
        percentile: Above 0, at most 100; 100 is the largest distance.
        spacing: Size of a pixel, one number or one per axis.

    Returns:
        A distance from 0 to infinity in the unit of `spacing`.

    Raises:
        ValueError: If an argument has a bad value.
    """
    return surface_distances(truth, prediction, spacing=spacing).hausdorff(percentile)


def average_symmetric_surface_distance(truth, prediction, *, spacing=1.0):
    """Measure the average symmetric surface distance (ASSD).

    The mean over the boundary pixels of both masks together (Heimann et al., 2009, "Comparison
    and evaluation of methods for liver segmentation from CT datasets"), as MONAI's symmetric
    average; MedPy takes the mean of the two directed means instead.

    Args:
        truth: Mask, see `surface_distances`.
        prediction: Mask of the same shape.
        spacing: Size of a pixel, one number or one per axis.

    Returns:
        A distance from 0 to infinity in the unit of `spacing`.

    Raises:
        ValueError: If an argument has a bad value.
    """
    return surface_distances(truth, prediction, spacing=spacing).average()


def surface_dice(truth, prediction, *, tolerance, spacing=1.0):
    """Measure the normalised surface Dice (NSD, Nikolov et al., 2018, arXiv:1809.04430).

    The share of the boundary pixels of both masks that are at most `tolerance` from the other
    boundary. The paper weighs surface elements by their area; here every boundary pixel counts
    once, as in MONAI without sub-voxels.

    Args:
        truth: Mask, see `surface_distances`.
        prediction: Mask of the same shape.
        tolerance: Largest distance that is right, from 0 on, in the unit of `spacing`.
        spacing: Size of a pixel, one number or one per axis.

    Returns:
        A share from 0 to 1.

    Raises:
        ValueError: If an argument has a bad value.
    """
    return surface_distances(truth, prediction, spacing=spacing).dice(tolerance)


def checked_masks(truth, prediction):
    """Return both as boolean arrays of one shape, or raise ValueError."""
    truth, prediction = binary_mask("truth", truth), binary_mask("prediction", prediction)
    same_shape(truth, prediction)
    if not truth.ndim:
        raise ValueError("truth and prediction are single values, expected masks (H, W).")
    return truth, prediction


def per_axis(spacing, ndim):
    """Return the sizes of a pixel along `ndim` axes, or raise ValueError."""
    sizes = np.asarray(spacing, np.float64)
    if not sizes.ndim:
        sizes = np.full(ndim, sizes)
    if sizes.shape != (ndim,) or not np.all((sizes > 0) & np.isfinite(sizes)):
        raise ValueError(
            f"spacing must be one number above 0 or {ndim} of them, one per axis, got {spacing!r}."
        )
    return sizes


def _cropped(truth, prediction):
    """Cut both masks to the box that holds all their pixels, which changes no distance."""
    from scipy import ndimage

    boxes = ndimage.find_objects((truth | prediction).astype(np.uint8))
    return (truth[boxes[0]], prediction[boxes[0]]) if boxes else (truth, prediction)


def _boundary(mask):
    from scipy import ndimage

    return mask & ~ndimage.binary_erosion(mask)


def _distances(of, to, spacing):
    """Return the distances from the pixels `of` to the nearest pixel of `to`."""
    from scipy import ndimage

    if not to.any():
        return np.full(np.count_nonzero(of), math.inf)
    return ndimage.distance_transform_edt(~to, sampling=spacing)[of]
