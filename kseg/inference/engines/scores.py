"""From the output of a graph to probabilities and labels, on the host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the softmax of logits, float32."""
    scores = scores.astype(np.float32)
    np.subtract(scores, scores.max(axis, keepdims=True), out=scores)
    np.exp(scores, out=scores)
    return np.divide(scores, scores.sum(axis, keepdims=True), out=scores)


def to_probabilities(output: np.ndarray, kind: str, axis: int, num_classes: int) -> np.ndarray:
    """Return float32 probabilities `(N, H, W, C)`, C at least 2.

    Args:
        output: What the graph gave: `(N, H, W, C)`, `(N, C, H, W)`, or labels `(N, H, W)`.
        kind: "logits", "probabilities" or "labels"; a label counts as the probability 1.
        axis: Axis of the classes.
        num_classes: Number of classes, for labels.
    """
    if kind == "labels":
        return np.eye(max(2, num_classes), dtype=np.float32)[to_labels(output, kind, axis)]
    if output.shape[axis] == 1:
        one = np.squeeze(output, axis).astype(np.float32)
        both = (sigmoid(-one), sigmoid(one)) if kind == "logits" else (1 - one, one)
        return np.stack(both, axis=-1)
    values = softmax(output, axis) if kind == "logits" else output.astype(np.float32, copy=False)
    return np.ascontiguousarray(np.moveaxis(values, axis, -1))


def to_labels(output: np.ndarray, kind: str, axis: int) -> np.ndarray:
    """Return labels `(N, H, W)` uint8 of a graph's output; see `to_probabilities`."""
    if kind == "labels":
        labels = np.squeeze(output, axis) if output.ndim == 4 else output
        return labels.astype(np.uint8, copy=False)
    threshold = 0.0 if kind == "logits" else 0.5
    return best_class(np.moveaxis(output, axis, 0), threshold)


def scores_to_labels(scores: np.ndarray) -> np.ndarray:
    """Return the class with the highest score, uint8; a single channel is a logit of class 1.

    Args:
        scores: Logits or probabilities `(..., C)`.
    """
    return best_class(np.moveaxis(scores, -1, 0))


def best_class(planes: Sequence[np.ndarray] | np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Return the index of the highest plane, uint8; of equal ones the first.

    Several times as fast as `argmax` where the planes are few.

    Args:
        planes: Scores `(C, ...)`.
        threshold: A single plane belongs to class 1, which is where it is above this.
    """
    if len(planes) == 1:
        return (planes[0] > threshold).astype(np.uint8)
    labels = (planes[1] > planes[0]).astype(np.uint8)
    if len(planes) > 2:
        best = np.maximum(planes[0], planes[1])
        for index in range(2, len(planes)):
            labels[planes[index] > best] = index
            np.maximum(best, planes[index], out=best)
    return labels


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the logistic function of float32 logits."""
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
