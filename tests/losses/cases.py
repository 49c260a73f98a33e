"""Builds every registered loss for tests, with what it cannot go without."""

import numpy as np

from kseg.losses import get_loss
from kseg.losses.registry import known_options

SHAPE = (3, 7, 5)
WEIGHTS = [1.0, 2.5, 0.5]
VOID = {"ignore_class": 255}


def takes(name, option):
    """Return whether a loss has an option."""
    return option in known_options(name)


def build(name, num_classes=3, **options):
    """Return the loss; `weighted_ce` gets even weights."""
    if name == "weighted_ce":
        options = {"class_weights": [1.0] * num_classes} | options
    return get_loss(name, **options)


def value(name, labels, scores, **options):
    """Return the loss of a batch as float; even weights of pixels where it needs a map."""
    loss = build(name, max(scores.shape[-1], 2), **options)
    weights = np.full(scores.shape[:3], 2.0, "float32") if loss.pixel_weights else None
    return float(loss(labels, scores, sample_weight=weights))


def with_even_map(loss):
    """Return a function of truth and prediction, with a map of ones where it is needed."""
    if not loss.pixel_weights:
        return loss
    return lambda truth, scores: loss(truth, scores, sample_weight=np.ones(scores.shape[:3]))
