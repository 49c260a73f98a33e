"""Count a batch into a confusion matrix on the device, under every backend's compiler."""

import keras
import numpy as np
from keras import ops

from kseg.metrics.confusion import check_labels

# Keras sums segments in float32 on torch, which stops counting at 2**24: no block gets there.
# Several blocks are also counted in parallel.
_BLOCK = 2**20


def count_batch(
    y_true, y_pred, num_classes, *, ignore_class=None, from_logits=True, per_image=False
):
    """Count one batch of at most 2**30 pixels, exactly and on the device.

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
        per_image: Count every image into a matrix of its own.

    Returns:
        An int32 tensor `(C, C)`, rows truth, columns prediction; `(N, C, C)` per image.

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
    counts = ops.reshape(_histograms(cells, classes**2 + 1)[..., :-1], (-1, classes, classes))
    return counts if per_image else ops.sum(counts, axis=0)


def _histograms(cells, bins):
    """Count the values 0 to `bins - 1` of int32 `cells` `(N, ...)` into `(N, bins)`."""
    images = ops.shape(cells)[0]
    cells = ops.reshape(cells, (images, -1))
    pixels = ops.shape(cells)[1]
    blocks = pixels // _BLOCK + 1
    block = ops.arange(pixels, dtype="int32") // _BLOCK
    image = ops.expand_dims(ops.arange(images, dtype="int32"), 1)
    segments = ops.reshape((image * blocks + block) * bins + cells, (-1,))
    ones = ops.ones_like(segments)
    counts = ops.segment_sum(ones, segments, num_segments=images * blocks * bins)
    return ops.sum(ops.reshape(counts, (images, -1, bins)), axis=1)


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
    if keras.backend.standardize_dtype(y_true.dtype) == "bool":
        y_true = ops.cast(y_true, "uint8")  # booleans have no order
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
