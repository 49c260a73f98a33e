"""MixUp: the weighted mean of two samples, and the soft truth that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from kseg.data.augment.fields import number
from kseg.data.augment.mixing import drawn_like
from kseg.data.augment.operation import Draw, Mix, Rng
from kseg.data.dataset import Sample


@dataclass(frozen=True, kw_only=True)
class MixedSample(Sample):
    """A sample that shows two at once; `mask` are the labels of the first.

    Attributes:
        partner: Label map of the second, `(H, W)`.
        share: Weight of the first, 0..1; the second has the rest.
    """

    partner: np.ndarray
    share: float


@dataclass(frozen=True, kw_only=True)
class MixUp(Mix):
    """Mean of two samples with random weights; `soft_labels` gives its truth.

    Zhang et al. 2017, arXiv:1710.09412. It comes last among the operations that move or mix.

    Attributes:
        alpha: Parameter of the beta distribution of the weights: 0.2 leaves one of the two faint,
            1 makes all weights as likely.
    """

    name: ClassVar[str] = "mixup"

    alpha: float = number(0.2, 0.01, 100)

    def mix(self, sample: Sample, rng: Rng, draw: Draw) -> Sample:
        """Draw the other sample and the weights."""
        other = drawn_like(sample, rng, draw)
        share = float(rng.beta(self.alpha, self.alpha))
        ours, theirs = (one.image.reshape(len(one.image), -1) for one in (sample, other))
        image = cv2.addWeighted(ours, share, theirs, 1 - share, 0).reshape(sample.image.shape)
        return MixedSample(image, sample.labels, sample.name, partner=other.labels, share=share)


def soft_labels(sample: Sample, num_classes: int, void: int) -> np.ndarray:
    """Return how much of each pixel belongs to each class, float32 `(H, W, C)`.

    The rows of a sample that is no mixture are one-hot. A pixel that is void in one of two mixed
    samples has a row of zeros: what its image shows there is unknown, so the mixture is too.

    Args:
        sample: Any sample with labels.
        num_classes: C.
        void: Label of pixels that count nowhere.

    Raises:
        ValueError: A label that is neither a class nor void.
    """
    rows = np.eye(num_classes + 1, num_classes, dtype=np.float32)  # the last is all zero
    first = _class_or_last(sample.labels, num_classes, void, sample.name)
    if not isinstance(sample, MixedSample):
        return rows[first]
    second = _class_or_last(sample.partner, num_classes, void, sample.name)
    share = np.float32(sample.share)
    soft = share * rows[first] + (1 - share) * rows[second]
    soft[(first == num_classes) | (second == num_classes)] = 0
    return soft


def _class_or_last(labels: np.ndarray, num_classes: int, void: int, name: str) -> np.ndarray:
    """Return the labels with the number after the last class in place of void."""
    wrong = labels[((labels < 0) | (labels >= num_classes)) & (labels != void)]
    if wrong.size:
        raise ValueError(
            f"{name}: label {wrong[0]} is neither a class (0..{num_classes - 1}) nor void ({void})"
        )
    return np.where(labels == void, num_classes, labels)
