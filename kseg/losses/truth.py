"""Bring truth and prediction of any accepted form into one form."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

# How far soft truth may be from adding up to 1, as float16 rounds it.
_ROUNDING = 2e-3


class Batch(NamedTuple):
    """One batch in the form that every loss computes with.

    Attributes:
        labels: int32 `(N, H, W)`, 0 at void pixels.
        valid: bool `(N, H, W)`, False at void pixels.
        scores: float32 `(N, H, W, C)` with `C >= 2`, 0 at void pixels.
        binary: Whether the prediction was a single sigmoid channel.
        pixel_weights: float32 `(N, H, W)`, or None.
        shares: float32 `(N, H, W, C)` where the truth came one-hot and may be soft: how much of
            a pixel belongs to each class, 0 at void pixels. Else None.
    """

    labels: Any
    valid: Any
    scores: Any
    binary: bool
    pixel_weights: Any = None
    shares: Any = None


def read_batch(y_true, y_pred, *, ignore_class=None, from_logits=True):
    """Return labels, valid pixels and float32 scores of a batch.

    A single output channel is read as the foreground of two classes. A pixel is void when
    its label is `ignore_class`, its one-hot row is all zero, or its label is no class. The
    last case raises where the labels can be read without waiting for a device, that is in
    eager calls; compiled code cannot raise, and leaves such a pixel out.

    Args:
        y_true: Labels `(N, H, W)` or `(N, H, W, 1)`, or one-hot `(N, H, W, C)`; or the dict
            `{"labels": ..., "pixel_weights": (N, H, W) or (N, H, W, 1)}`.
        y_pred: Logits or probabilities `(N, H, W, C)`.
        ignore_class: The label of void pixels, any integer, or None.
        from_logits: Whether `y_pred` holds logits.

    Returns:
        A `Batch`.

    Raises:
        ValueError: If the shapes do not fit, or a label seen eagerly is not valid.
    """
    pixel_weights = None
    if isinstance(y_true, dict):
        y_true, pixel_weights = y_true["labels"], y_true["pixel_weights"]
    channels = y_pred.shape[-1]
    one_hot = _is_one_hot(tuple(y_true.shape), tuple(y_pred.shape))
    num_classes = max(channels, 2)
    _check_values(y_true, one_hot, num_classes, ignore_class)
    shares = None
    if one_hot:
        shares = ops.cast(y_true, "float32")
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
    if pixel_weights is not None:
        pixel_weights = read_weight_map(pixel_weights, labels)
    if shares is not None:
        shares = ops.where(valid[..., None], shares, 0.0)
    labels = ops.where(valid, labels, 0)
    return Batch(labels, valid, scores, channels == 1, pixel_weights, shares)


def class_masks(batch):
    """Return where each class is, bool `(N, H, W, C)`; False at void pixels."""
    masks = batch.labels[..., None] == ops.arange(batch.scores.shape[-1], dtype="int32")
    return ops.logical_and(masks, batch.valid[..., None])


def class_truth(batch):
    """Return the truth of each class, `(N, H, W, C)`: shares if it is soft, else masks."""
    return class_masks(batch) if batch.shares is None else batch.shares


def choose(truth, inside, outside):
    """Return `inside` where the truth is and `outside` elsewhere, a mixture where it is soft.

    Args:
        truth: bool masks or float32 shares.
        inside: Values of that shape, or a number.
        outside: Likewise.
    """
    if keras.backend.standardize_dtype(truth.dtype) == "bool":
        return ops.where(truth, inside, outside)
    return truth * inside + (1.0 - truth) * outside


def true_class(batch, values):
    """Return the value of each pixel's true class, `(N, H, W)`; 0 at void pixels.

    A masked sum, not a gather: no scatter in the gradient and the same on every backend.

    Args:
        batch: The `Batch`.
        values: float32 that broadcasts to `(N, H, W, C)`.
    """
    truth = class_truth(batch)
    if batch.shares is None:
        return ops.sum(ops.where(truth, values, 0.0), axis=-1)
    return ops.sum(truth * values, axis=-1)


def read_weight_map(weights, labels):
    """Return the weights of pixels as float32 `(N, H, W)`.

    Args:
        weights: `(N, H, W)` or `(N, H, W, 1)`.
        labels: A tensor `(N, H, W)` that they belong to.

    Raises:
        ValueError: If the shapes do not fit, or a weight seen eagerly is negative or NaN.
    """
    weights = ops.cast(weights, "float32")
    if len(weights.shape) == len(labels.shape) + 1 and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, -1)
    if not _fits(tuple(weights.shape), tuple(labels.shape)):
        raise ValueError(
            f"sample_weight of shape {tuple(weights.shape)} does not fit labels of shape "
            f"{tuple(labels.shape)}: expected one number per image, or one per pixel."
        )
    values = _readable(weights)
    if values is not None and not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError("The map of weights in sample_weight holds negative or NaN values.")
    return weights


def _fits(shape, other):
    """Tell whether two shapes agree where both are known."""
    pairs = zip(shape, other, strict=False)
    return len(shape) == len(other) and not any(None not in p and p[0] != p[1] for p in pairs)


def _readable(tensor):
    """Return the values where they can be read at no cost, else None."""
    try:
        return np.asarray(tensor)
    except (TypeError, NotImplementedError, RuntimeError):
        return None  # traced by TensorFlow or JAX, or on torch's accelerator or tape


def _is_one_hot(true, pred):
    """Tell one-hot truth from labels by the shapes, or raise."""
    same_rank = len(true) == len(pred)
    inner = true[:-1] if same_rank else true
    if len(pred) < 2 or not _fits(inner, pred[:-1]):
        raise ValueError(
            f"y_true of shape {true} does not fit y_pred of shape {pred}: expected labels "
            f"{pred[:-1]} or {(*pred[:-1], 1)}, or one-hot {pred}."
        )
    if same_rank and true[-1] not in (1, pred[-1]):
        raise ValueError(f"y_true has {true[-1]} channels, y_pred has {pred[-1]} classes.")
    return same_rank and true[-1] != 1


def _check_values(y_true, one_hot, num_classes, ignore_class):
    """Raise on labels that are no class, where they can be read at no cost."""
    truth = _readable(y_true)
    if truth is None:
        return
    if one_hot:
        rows = truth.sum(axis=-1)
        wrong = truth[~((truth >= 0) & (truth <= 1))]
        wrong = wrong if wrong.size else rows[(rows != 0) & (abs(rows - 1) > _ROUNDING)]
        expected = "the channels of one-hot truth are 0 to 1 and add up to 1, or to 0 for void"
    else:
        classes = (truth >= 0) & (truth < num_classes) & (truth == np.floor(truth))
        wrong = truth[~(classes | (truth == ignore_class))]
        expected = f"labels are 0 to {num_classes - 1}, or ignore_class={ignore_class}"
    if wrong.size:
        raise ValueError(f"y_true holds {wrong[0]:g}, but {expected}.")
