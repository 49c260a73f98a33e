"""Bring truth and prediction of any accepted form into one form."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops


class Batch(NamedTuple):
    """One batch in the form that every loss computes with.

    Attributes:
        labels: int32 `(N, H, W)`, 0 at void pixels.
        valid: bool `(N, H, W)`, False at void pixels.
        scores: float32 `(N, H, W, C)` with `C >= 2`, 0 at void pixels.
        binary: Whether the prediction was a single sigmoid channel.
    """

    labels: Any
    valid: Any
    scores: Any
    binary: bool


def read_batch(y_true, y_pred, *, ignore_class=None, from_logits=True):
    """Return labels, valid pixels and float32 scores of a batch.

    A single output channel is read as the foreground of two classes. A pixel is void when
    its label is `ignore_class`, its one-hot row is all zero, or its label is no class. The
    last case raises where the labels can be read without waiting for a device, that is in
    eager calls; compiled code cannot raise, and leaves such a pixel out.

    Args:
        y_true: Labels `(N, H, W)` or `(N, H, W, 1)`, or one-hot `(N, H, W, C)`.
        y_pred: Logits or probabilities `(N, H, W, C)`.
        ignore_class: The label of void pixels, any integer, or None.
        from_logits: Whether `y_pred` holds logits.

    Returns:
        A `Batch`.

    Raises:
        ValueError: If the shapes do not fit, or a label seen eagerly is not valid.
    """
    channels = y_pred.shape[-1]
    one_hot = _is_one_hot(tuple(y_true.shape), tuple(y_pred.shape))
    num_classes = max(channels, 2)
    _check_values(y_true, one_hot, num_classes, ignore_class)
    if one_hot:
        labels = ops.cast(ops.argmax(y_true, axis=-1), "int32")
        valid = ops.max(y_true, axis=-1) > 0
    else:
        flat = ops.squeeze(y_true, -1) if len(y_true.shape) == len(y_pred.shape) else y_true
        labels = ops.cast(flat, "int32")
        valid = ops.logical_and(labels >= 0, labels < num_classes)
    if ignore_class is not None:
        valid = ops.logical_and(valid, labels != ignore_class)
    scores = ops.cast(y_pred, "float32")
    if channels == 1:
        # sigmoid(x) is the softmax over (0, x), so binary needs no formulas of its own.
        other = ops.zeros_like(scores) if from_logits else 1.0 - scores
        scores = ops.concatenate([other, scores], axis=-1)
    # Cut void pixels off before any arithmetic: a product with 0 would let NaN through.
    scores = ops.where(valid[..., None], scores, 0.0)
    return Batch(ops.where(valid, labels, 0), valid, scores, channels == 1)


def class_masks(batch, num_classes):
    """Return where each class is, bool `(N, H, W, C)`; False at void pixels."""
    masks = batch.labels[..., None] == ops.arange(num_classes, dtype="int32")
    return ops.logical_and(masks, batch.valid[..., None])


def _is_one_hot(true, pred):
    """Tell one-hot truth from labels by the shapes, or raise."""
    same_rank = len(true) == len(pred)
    inner = true[:-1] if same_rank else true
    fits = len(pred) >= 2 and len(inner) == len(pred) - 1
    pairs = zip(inner, pred, strict=False)
    if not fits or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(
            f"y_true of shape {true} does not fit y_pred of shape {pred}: expected labels "
            f"{pred[:-1]} or {(*pred[:-1], 1)}, or one-hot {pred}."
        )
    if same_rank and true[-1] not in (1, pred[-1]):
        raise ValueError(f"y_true has {true[-1]} channels, y_pred has {pred[-1]} classes.")
    return same_rank and true[-1] != 1


def _check_values(y_true, one_hot, num_classes, ignore_class):
    """Raise on labels that are no class, where they can be read at no cost."""
    try:
        truth = np.asarray(y_true)
    except (TypeError, NotImplementedError):
        return  # traced by TensorFlow or JAX, or on torch's accelerator
    if one_hot:
        wrong = truth[(truth != 0) & (truth != 1)]
        expected = "one-hot truth holds only 0 and 1"
    else:
        classes = (truth >= 0) & (truth < num_classes) & (truth == np.floor(truth))
        wrong = truth[~(classes | (truth == ignore_class))]
        expected = f"labels are 0 to {num_classes - 1}, or ignore_class={ignore_class}"
    if wrong.size:
        raise ValueError(f"y_true holds {wrong[0]:g}, but {expected}.")
