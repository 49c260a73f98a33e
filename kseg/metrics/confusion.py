"""The confusion matrix on NumPy, the check of its labels, and its counts per class."""

from typing import Any, NamedTuple

import numpy as np

_BYTES = 256


def confusion_matrix(truth, prediction, num_classes, ignore_class=None):
    """Count the pixels of each pair of true and predicted class.

    Args:
        truth: Integer labels of any shape.
        prediction: Integer labels of the same shape; what it says at void pixels is free.
        num_classes: Number of classes, at least 1.
        ignore_class: The true label of void pixels, any integer, or None.

    Returns:
        An int64 array `(C, C)`, rows truth, columns prediction; matrices of parts add up.

    Raises:
        ValueError: If the shapes differ or a label is no class.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"truth has shape {truth.shape}, prediction {prediction.shape}.")
    if truth.dtype == prediction.dtype == np.uint8 and num_classes <= _BYTES:
        counts = _count_bytes(truth, prediction, ignore_class)
        matrix = counts[:num_classes, :num_classes]
        if matrix.sum() == counts.sum():
            return matrix.copy()
    check_labels("truth", truth, num_classes, ignore_class)
    valid = np.ones(truth.shape, bool) if ignore_class is None else truth != ignore_class
    truth, prediction = truth[valid], prediction[valid]
    check_labels("prediction", prediction, num_classes)
    cells = truth.astype(np.int64) * num_classes + prediction.astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def _count_bytes(truth, prediction, ignore_class):
    """Count all pairs of bytes in one pass, those of void pixels left out: `(256, 256)`."""
    pairs = truth.ravel() * np.uint16(_BYTES) + prediction.ravel()
    counts = np.bincount(pairs, minlength=_BYTES**2).reshape(_BYTES, _BYTES)
    if ignore_class is not None and 0 <= ignore_class < _BYTES:
        counts[ignore_class] = 0
    return counts


def check_labels(what, labels, num_classes, ignore_class=None):
    """Raise if a label is neither a class nor `ignore_class`.

    Args:
        what: Name of the labels for the message.
        labels: Array of any shape and dtype.
        num_classes: Number of classes.
        ignore_class: A further label that is allowed, or None.

    Raises:
        ValueError: With the first label that is wrong.
    """
    right = (labels >= 0) & (labels < num_classes)
    if not np.issubdtype(labels.dtype, np.integer):
        right &= labels == np.floor(labels)
    wrong = labels[~(right | (labels == ignore_class))]
    if wrong.size:
        allowed = "" if ignore_class is None else f" or ignore_class={ignore_class}"
        raise ValueError(
            f"{what} holds label {wrong[0]:g}, expected 0 to {num_classes - 1}{allowed}."
        )


class Counts(NamedTuple):
    """Pixels per class, each `(..., C)` and floating point.

    All four are sums of cells: a difference of large float32 counts would lose the small ones.

    Attributes:
        tp: Pixels whose true and predicted class is this one.
        fp: Pixels of other classes, predicted as this one.
        fn: Pixels of this class, predicted as others.
        tn: Pixels whose true and predicted classes are others.
    """

    tp: Any
    fp: Any
    fn: Any
    tn: Any

    @property
    def truth(self):
        """Pixels whose true class is this one."""
        return self.tp + self.fn

    @property
    def predicted(self):
        """Pixels predicted as this one."""
        return self.tp + self.fp


def counts_of(matrix, xp):
    """Return the `Counts` of floating-point matrices `(..., C, C)`, rows truth.

    `xp` is `numpy` or `keras.ops`.
    """
    found_elsewhere = _sum_of_others(matrix, xp)
    true_elsewhere = _sum_of_others(xp.swapaxes(matrix, -1, -2), xp)
    neither = _sum_of_others(xp.swapaxes(found_elsewhere, -1, -2), xp)
    tables = (matrix, true_elsewhere, found_elsewhere, neither)
    return Counts(*(xp.diagonal(table, axis1=-2, axis2=-1) for table in tables))


def _sum_of_others(values, xp):
    """Return for every entry of the last axis the sum of the other entries."""
    zero = xp.zeros_like(values[..., :1])
    before = xp.cumsum(values, axis=-1)[..., :-1]
    after = xp.flip(xp.cumsum(xp.flip(values, axis=-1), axis=-1), axis=-1)[..., 1:]
    return xp.concatenate([zero, before], axis=-1) + xp.concatenate([after, zero], axis=-1)
