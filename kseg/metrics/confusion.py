"""The confusion matrix on NumPy, and the check of labels that every matrix shares."""

import numpy as np


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
    check_labels("truth", truth, num_classes, ignore_class)
    valid = np.ones(truth.shape, bool) if ignore_class is None else truth != ignore_class
    truth, prediction = truth[valid], prediction[valid]
    check_labels("prediction", prediction, num_classes)
    cells = truth.astype(np.int64) * num_classes + prediction.astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


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
