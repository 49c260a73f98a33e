"""Boundary IoU: the IoU of two masks near their own boundaries."""

import numpy as np

from kseg.metrics.surface import checked_masks


def boundary_iou(truth, prediction, *, dilation_ratio=0.02):
    """Measure the boundary IoU (Cheng et al., 2021, arXiv:2103.16562).

    The IoU of the two inner bands: of each mask the pixels that are at most `d` pixels deep,
    with `d` the rounded `dilation_ratio` of the image diagonal, at least 1. As in the authors'
    code, depth is the chessboard distance (erosion by a 3 x 3 square) and what lies beyond the
    image is outside the mask. Depth is in pixels: there is no `spacing`.

    Args:
        truth: Mask of one image or volume, boolean or of 0 and 1, `(H, W)` or n-D.
        prediction: Mask of the same shape.
        dilation_ratio: Width of the band as a share of the image diagonal, above 0.

    Returns:
        A share from 0 to 1; 1 for two empty masks, 0 if one is empty.

    Raises:
        ValueError: If the shapes differ, a mask is not binary, or the ratio is not above 0.
    """
    truth, prediction = checked_masks(truth, prediction)
    if not 0 < dilation_ratio < np.inf:
        raise ValueError(f"dilation_ratio must be a number above 0, got {dilation_ratio!r}.")
    depth = max(1, round(dilation_ratio * float(np.linalg.norm(truth.shape))))
    truth, prediction = _band(truth, depth), _band(prediction, depth)
    union = np.count_nonzero(truth | prediction)
    return float(np.count_nonzero(truth & prediction) / union) if union else 1.0


def _band(mask, depth):
    """Return the pixels of the mask that `depth` erosions by a square take away."""
    from scipy import ndimage

    framed = np.pad(mask, 1)
    depths = ndimage.distance_transform_cdt(framed, metric="chessboard")
    inner = depths[tuple(slice(1, -1) for _ in mask.shape)]
    return mask & (inner <= depth)
