"""What one sample shows: the pixels of each label, and a hash of its image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from kseg.data.dataset import Sample


@dataclass(frozen=True)
class LabelCount:
    """What one sample shows.

    Attributes:
        values: Labels in its label map, ascending, int64 `(K,)`.
        pixels: Pixels of each, int64 `(K,)`.
        digest: Hash of the decoded image: equal for equal pixels, whatever the file format.
    """

    values: np.ndarray
    pixels: np.ndarray
    digest: str


def count_labels(sample: Sample) -> LabelCount:
    """Count the labels of a sample and hash its image.

    Raises:
        ValueError: The label map does not hold whole numbers.
    """
    values, pixels = count_values(sample.labels)
    if values.dtype.kind not in "iub":
        raise ValueError(
            f"{sample.name}: the label map holds {values.dtype} numbers; labels must be whole "
            "numbers, save it as 8-bit grey or palette PNG"
        )
    return LabelCount(values.astype(np.int64), pixels, digest(sample.image))


def count_values(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values in an array, ascending, and how often each occurs, int64."""
    if labels.dtype not in (np.uint8, np.uint16):
        return np.unique(labels, return_counts=True)
    counts = np.bincount(labels.ravel())  # much faster than sorting
    values = np.flatnonzero(counts)
    return values, counts[values]


def digest(pixels: np.ndarray) -> str:
    """Return a hash of an array's shape, type and values."""
    head = f"{pixels.shape}{pixels.dtype}".encode()
    hashed = hashlib.blake2b(head, digest_size=16)
    hashed.update(np.ascontiguousarray(pixels).data)
    return hashed.hexdigest()
