"""Models with auxiliary heads: what each head learns, and by which loss."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import keras
import numpy as np

from kseg.losses import get_loss

ANSWER, BOUNDARY = "logits", "boundary"
# Pixels on either side of a border between two classes.
_EDGE_WIDTH = 2


def head_names(model: keras.Model) -> tuple[str, ...]:
    """Return the names of a model's outputs, none for a model with one."""
    return tuple(model.output) if isinstance(model.output, dict) else ()


def head_losses(
    heads: Sequence[str], loss: keras.losses.Loss, void: int
) -> dict[str, keras.losses.Loss]:
    """Return the loss of each head: the given one, but for a head that finds borders.

    Args:
        heads: Names of the outputs.
        loss: Loss of the answer and the auxiliary scores.
        void: Label of pixels that do not count.
    """
    config = keras.saving.serialize_keras_object(loss)
    # A loss object of its own for each head, since Keras names it.
    return {
        head: get_loss("bce_dice", ignore_class=void)
        if head == BOUNDARY
        else keras.saving.deserialize_keras_object(config)
        for head in heads
    }


def head_weights(heads: Sequence[str], auxiliary: float) -> dict[str, float]:
    """Return the weight of each head's loss in the sum: 1 for answer and borders."""
    return {head: 1.0 if head in (ANSWER, BOUNDARY) else auxiliary for head in heads}


def head_truth(heads: Sequence[str], truth: np.ndarray, void: int) -> dict[str, np.ndarray]:
    """Return what each head is compared with.

    Args:
        heads: Names of the outputs.
        truth: Labels `(N, H, W)`, or shares of classes `(N, H, W, C)`.
        void: Label of pixels that do not count.
    """
    edges = label_edges(truth, void) if BOUNDARY in heads else truth
    return {head: edges if head == BOUNDARY else truth for head in heads}


def label_edges(labels: np.ndarray, void: int) -> np.ndarray:
    """Return 1 near borders between two classes, 0 elsewhere and `void` where the labels are.

    Args:
        labels: Label maps `(N, H, W)` uint8.
        void: Label of pixels that do not count; a border to them is none.

    Raises:
        ValueError: Soft truth, which has no borders.
    """
    if labels.ndim != 3:
        raise ValueError(
            "a boundary head needs whole labels, and mixup gives soft ones; leave mixup out of "
            "the augmentation"
        )
    return np.stack([_edges_of(one, void) for one in labels])


def _edges_of(labels: np.ndarray, void: int) -> np.ndarray:
    kernel = np.ones((2 * _EDGE_WIDTH + 1,) * 2, np.uint8)
    valid = labels != void
    highest = cv2.dilate(np.where(valid, labels, 0).astype(np.uint8), kernel)
    lowest = cv2.erode(np.where(valid, labels, 255).astype(np.uint8), kernel)
    return np.where(valid, highest != lowest, void).astype(np.uint8)
