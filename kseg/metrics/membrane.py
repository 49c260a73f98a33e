"""Scores of cells that membranes separate: V_rand and V_info of the ISBI 2012 challenge.

Both compare two maps of instances, in which 0 is membrane, as ways to put the pixels inside the
true cells into groups (Arganda-Carreras et al., 2015, "Crowdsourcing the creation of image
segmentation algorithms for connectomics", doi:10.3389/fnana.2015.00142). With `s` the share of
pixels of each predicted cell, `t` of each true cell and `p` of each pair of them:

    V_rand: split = sum p² / sum t²     merge = sum p² / sum s²     f_score = their harmonic mean
    V_info: split = I(s, t) / H(s)      merge = I(s, t) / H(t)      f_score = their harmonic mean

Foreground restriction: true membrane pixels count nowhere. A predicted membrane pixel inside a
true cell is a group of its own, as in the challenge's Fiji plug-in. Border thinning: before
that, predicted membranes are flooded by their cells down to lines one pixel wide, as their width
says nothing about splits and mergers.
"""

from dataclasses import dataclass

import numpy as np

from kseg.metrics.arrays import same_shape
from kseg.metrics.instances import membrane_instances, thin_borders

# Steps of 0.1 as in the challenge; at 0 every pixel would be membrane.
_THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 11))


@dataclass(frozen=True)
class SplitMergeScore:
    """How well two segmentations agree, every number from 0 to 1, higher is better.

    Attributes:
        f_score: Harmonic mean of `split` and `merge`, the number that is reported.
        split: Lower the more true cells are split.
        merge: Lower the more true cells are merged.
    """

    f_score: float
    split: float
    merge: float


def v_rand(truth, prediction, *, thin=True):
    """Measure the foreground-restricted Rand score V_rand.

    Pairs of a pixel with itself count, as in the paper; SNEMI3D's adapted Rand error
    (scikit-image) leaves them out and takes predicted membrane as one cell.

    Args:
        truth: Integer map of the true cells, 0 is membrane, `(H, W)` or n-D;
            `membrane_instances` makes it from a binary map.
        prediction: Integer map of the predicted cells of the same shape.
        thin: Whether predicted membranes are thinned to one pixel first.

    Returns:
        A `SplitMergeScore`.

    Raises:
        ValueError: If the shapes differ, a map is not of whole numbers from 0 on, or the truth
            has no cell.
    """
    both, true, predicted = (np.sum(shares**2) for shares in _shares(truth, prediction, thin))
    return _score(2 * both / (true + predicted), both / true, both / predicted)


def v_info(truth, prediction, *, thin=True):
    """Measure the foreground-restricted information theoretic score V_info.

    One group has no entropy: without a second predicted cell nothing is split (`split` 1),
    without a second true cell nothing can be merged (`merge` 1); `f_score` is 1 if both hold.

    Args:
        truth: Integer map of the true cells, see `v_rand`.
        prediction: Integer map of the predicted cells.
        thin: Whether predicted membranes are thinned to one pixel first.

    Returns:
        A `SplitMergeScore`.

    Raises:
        ValueError: As `v_rand` does.
    """
    both, true, predicted = (
        -np.sum(shares * np.log(shares)) for shares in _shares(truth, prediction, thin)
    )
    common = max(true + predicted - both, 0.0)
    return _score(*(_ratio(common, part) for part in ((true + predicted) / 2, predicted, true)))


def best_over_thresholds(truth, membrane, *, score=v_rand, thresholds=_THRESHOLDS, thin=True):
    """Find the threshold of a membrane map at which the cells score best, as the challenge did.

    Args:
        truth: Integer map of the true cells `(H, W)`, or a stack or list of such maps.
        membrane: Probabilities of membrane of the same shape or shapes.
        score: `v_rand` or `v_info`.
        thresholds: Values to try, by default 0.1, 0.2, ... 1.
        thin: Whether predicted membranes are thinned to one pixel first.

    Returns:
        `(threshold, SplitMergeScore)` with the highest mean `f_score` over the images, the
        lowest threshold of equals. One threshold serves all images.

    Raises:
        ValueError: If there is no image or no threshold, or the maps do not fit.
    """
    truths, maps = _stack(truth), _stack(membrane)
    thresholds = list(thresholds)
    if not truths or len(truths) != len(maps) or not thresholds:
        raise ValueError(
            f"Got {len(truths)} images of truth, {len(maps)} of membrane and {len(thresholds)} "
            "thresholds, expected as many of each kind of image, and at least one of all."
        )
    means = {}
    for threshold in sorted(thresholds):
        cells = [membrane_instances(image, threshold) for image in maps]
        pairs = zip(truths, cells, strict=True)
        means[threshold] = _mean([score(*pair, thin=thin) for pair in pairs])
    return max(means.items(), key=lambda item: item[1].f_score)


def _stack(images):
    return [images] if len(images) and np.ndim(images[0]) == 1 else list(images)


def _mean(scores):
    columns = zip(*((part.f_score, part.split, part.merge) for part in scores), strict=True)
    return _score(*(np.mean(column) for column in columns))


def _score(*values):
    # Rounding of sums may pass 1 by 1e-16.
    return SplitMergeScore(*(min(float(value), 1.0) for value in values))


def _ratio(part, whole):
    return part / whole if whole > 0 else 1.0


def _shares(truth, prediction, thin):
    """Return the shares of foreground pixels of overlaps, true and predicted cells."""
    from scipy import sparse

    truth, prediction = _checked("truth", truth), _checked("prediction", prediction)
    same_shape(truth, prediction)
    inside = truth > 0
    if not inside.any():
        raise ValueError("truth has no cell: every pixel is 0.")
    prediction = (thin_borders(prediction) if thin else prediction)[inside]
    alone = prediction == 0
    prediction[alone] = prediction.max() + 1 + np.arange(np.count_nonzero(alone))
    groups = (np.unique(labels, return_inverse=True)[1] for labels in (truth[inside], prediction))
    pixels = np.ones(prediction.size, np.int64)
    table = sparse.coo_array((pixels, tuple(groups))).tocsr()
    counts = (table.data, table.sum(axis=1), table.sum(axis=0))
    return [count.astype(np.float64) / pixels.size for count in counts]


def _checked(what, labels):
    """Return a map of cells as int64, or raise ValueError."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
        raise ValueError(
            f"{what} must number its cells with integers from 1 on and 0 for membrane, got "
            f"{labels.dtype} from {np.min(labels, initial=0)}; membrane_instances makes such maps."
        )
    return labels.astype(np.int64)
