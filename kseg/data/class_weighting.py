"""Weights that make rare classes count as much as common ones in a loss."""

from __future__ import annotations

import numpy as np

METHODS = ("balanced", "median_frequency", "enet", "effective_number")

# The constant c of the ENet paper; it keeps the weights between 1.4 and 50.
_ENET_CONSTANT = 1.02


def class_weights(
    pixels: np.ndarray,
    method: str,
    *,
    image_pixels: np.ndarray | None = None,
    beta: float | None = None,
) -> np.ndarray:
    """Return a weight per class, float64 `(C,)`, from the pixels of the training images.

    With `n` pixels in all and `n_c` of class c the methods are

    - "balanced": `n / (C * n_c)`, `C` being the classes that have pixels, as in scikit-learn.
      The mean weight of a pixel is 1 and all classes weigh the same together.
    - "median_frequency": `median(f) / f_c`, `f_c` being the share of class c in the images that
      show it (Eigen and Fergus 2015, arXiv:1411.4734; SegNet, Badrinarayanan et al. 2015,
      arXiv:1511.00561). Ignored pixels are left out of both sides of the share.
    - "enet": `1 / ln(1.02 + n_c / n)` (Paszke et al. 2016, arXiv:1606.02147), 1.42 to 50.5.
    - "effective_number": proportional to `(1 - beta) / (1 - beta**n_c)`, with mean 1 (Cui et al.
      2019, arXiv:1901.05555). Pixels resemble each other, so that of many only about
      `1 / (1 - beta)` are new; more of them do not lower the weight. The paper counts images and
      tries beta from 0.9 to 0.9999, at which millions of pixels would give every class the same
      weight. Here beta is `1 - 1/N` by default, with `N` the mean number of pixels of a class:
      rare classes weigh as in "balanced" up to a factor, and the commonest still 0.63 of a class
      with N pixels.

    A class without pixels gets weight 0: no weight could make up for images that are not there,
    and the formulas are infinite or an arbitrary maximum there.

    Args:
        pixels: Pixels of each class, `(C,)`, at least 0, as `Survey` gives them. Count the
            training images only: held-out images must not shape the training.
        method: One of `METHODS`.
        image_pixels: For "median_frequency": pixels of any class in the images that show class c,
            `(C,)`.
        beta: For "effective_number": at least 0 and below 1; 0 gives every class the same weight,
            near 1 the weights are those of "balanced" up to a factor.

    Raises:
        ValueError: An unknown method, counts below 0 or without any pixel, `image_pixels` that
            are missing or do not fit `pixels`, or `beta` out of its range.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 1 or (pixels < 0).any() or not pixels.any():
        raise ValueError(f"class weights need a count of at least 0 per class, got {pixels}")
    weights = np.zeros(len(pixels))
    seen = pixels > 0
    counts = pixels[seen].astype(np.float64)
    if method == "balanced":
        weights[seen] = counts.sum() / (len(counts) * counts)
    elif method == "median_frequency":
        frequencies = counts / _totals(pixels, image_pixels)[seen]
        weights[seen] = np.median(frequencies) / frequencies
    elif method == "enet":
        weights[seen] = 1 / np.log(_ENET_CONSTANT + counts / counts.sum())
    elif method == "effective_number":
        weights[seen] = _inverse_effective_number(counts, beta)
    else:
        raise ValueError(f"class weights must be one of {', '.join(METHODS)}; got {method!r}")
    return weights


def _totals(pixels: np.ndarray, image_pixels: np.ndarray | None) -> np.ndarray:
    if image_pixels is None:
        raise ValueError("median_frequency needs image_pixels, see kseg.data.check.Survey")
    totals = np.asarray(image_pixels)
    if totals.shape != pixels.shape or (totals < pixels).any():
        raise ValueError(
            f"image_pixels {totals} must be at least the pixels of each class {pixels}"
        )
    return totals


def _inverse_effective_number(counts: np.ndarray, beta: float | None) -> np.ndarray:
    if beta is None:
        beta = 1 - 1 / counts.mean()
    if not 0 <= beta < 1:
        raise ValueError(f"beta of the effective number must be at least 0 and below 1, got {beta}")
    # expm1 and log1p: beta**n is 1 up to rounding where beta is near 1.
    new = -np.expm1(counts * np.log1p(beta - 1)) if beta > 0 else np.ones_like(counts)
    return 1 / new / np.mean(1 / new)
