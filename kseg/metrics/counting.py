"""Count a batch into a confusion matrix on the device, under every backend's compiler."""

import keras
import numpy as np
from keras import ops

from kseg.metrics.confusion import check_labels

# Counters are two int32 limbs, `high * 2**20 + low`: JAX and torch truncate int64 to int32.
# 20 bits leave room for the batch to add, and for `tf.distribute` to sum the replicas' limbs.
_LIMB_BITS = 20


def count_batch(y_true, y_pred, num_classes, *, ignore_class=None, from_logits=True):
    """Count one batch of at most 2**30 pixels.

    A pixel is left out when its label is `ignore_class` or its one-hot row is all zero, and
    also when a label is no class: eager calls raise on such a label where it can be read
    without waiting for a device, compiled code cannot.

    Args:
        y_true: Labels `(N, H, W)` or `(N, H, W, 1)`, or one-hot `(N, H, W, C)`.
        y_pred: Floating-point scores `(N, H, W, C)`, with `C = 1` for a sigmoid channel; or
            labels of an integer dtype, `(N, H, W)` or `(N, H, W, 1)`.
        num_classes: `C`; 1 counts as two classes.
        ignore_class: The true label of void pixels, any integer, or None.
        from_logits: Whether a sigmoid channel is split at 0 (logits) or at 0.5.

    Returns:
        An int32 tensor `(C, C)`, rows truth, columns prediction.

    Raises:
        ValueError: If the shapes do not fit, or a label seen eagerly is no class.
    """
    classes = max(num_classes, 2)
    predicted = _predicted_labels(ops.convert_to_tensor(y_pred), num_classes, from_logits)
    y_true = ops.convert_to_tensor(y_true)
    truth, valid = _true_labels(y_true, len(predicted.shape), classes)
    _check_shapes(tuple(truth.shape), tuple(predicted.shape))
    _check_values("y_true", truth, classes, ignore_class)
    truth = ops.cast(truth, "int32")
    if ignore_class is not None:
        valid = ops.logical_and(valid, truth != ignore_class)
    _check_values("y_pred", ops.where(valid, predicted, 0), classes)
    for labels in (truth, predicted):
        valid = ops.logical_and(valid, ops.logical_and(labels >= 0, labels < classes))
    cells = ops.where(valid, truth * classes + predicted, classes**2)
    cells = ops.reshape(cells, (-1,))
    counts = ops.segment_sum(ops.ones_like(cells), cells, num_segments=classes**2 + 1)
    return ops.reshape(counts[:-1], (classes, classes))


def add_counts(low, high, counts):
    """Return the limbs after adding int32 `counts` of up to 2**30; all tensors `(C, C)`."""
    total = low + counts
    carry = ops.right_shift(total, _LIMB_BITS)
    return total - ops.left_shift(carry, _LIMB_BITS), high + carry


def float_counts(low, high):
    """Return the counts as float32 for ratios, exact to 1e-7."""
    return ops.cast(high, "float32") * 2.0**_LIMB_BITS + ops.cast(low, "float32")


def int_counts(low, high):
    """Return the exact counts as a NumPy int64 array."""
    low, high = (ops.convert_to_numpy(limb).astype(np.int64) for limb in (low, high))
    return (high << _LIMB_BITS) + low


def _predicted_labels(y_pred, num_classes, from_logits):
    channels = y_pred.shape[-1]
    if not keras.backend.is_float_dtype(y_pred.dtype):
        labels = ops.squeeze(y_pred, -1) if len(y_pred.shape) == 4 and channels == 1 else y_pred
        return ops.cast(labels, "int32")
    if channels != num_classes:
        raise ValueError(
            f"y_pred has {channels} channels in shape {tuple(y_pred.shape)}, num_classes is "
            f"{num_classes}; label maps need an integer dtype."
        )
    if num_classes == 1:
        return ops.cast(y_pred[..., 0] > (0.0 if from_logits else 0.5), "int32")
    return ops.cast(ops.argmax(y_pred, axis=-1), "int32")


def _true_labels(y_true, rank, classes):
    """Return labels and where they are no all-zero one-hot row."""
    shape = tuple(y_true.shape)
    if len(shape) == rank + 1 and shape[-1] == classes:
        return ops.argmax(y_true, axis=-1), ops.max(y_true, axis=-1) > 0
    if len(shape) == rank + 1 and shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return y_true, ops.ones_like(y_true, dtype="bool")


def _check_shapes(true, predicted):
    pairs = zip(true, predicted, strict=False)
    same = len(true) == len(predicted)
    if not same or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(f"y_true gives labels {true}, y_pred gives labels {predicted}.")


def _check_values(what, labels, classes, ignore_class=None):
    """Raise on labels that are no class, where they can be read at no cost."""
    try:
        labels = np.asarray(labels)
    except (TypeError, NotImplementedError):
        return  # traced by TensorFlow or JAX, or on torch's accelerator
    check_labels(what, labels, classes, ignore_class)
