"""Operations that copy pixels and their labels from other samples; none of them resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np

from kseg.data.augment.fields import labels_or_none, number
from kseg.data.augment.operation import Draw, Mix, Rng
from kseg.data.dataset import Sample

# Smaller pieces of a label are specks of the annotation rather than objects.
_SMALLEST_OBJECT = 16


def drawn_like(sample: Sample, rng: Rng, draw: Draw) -> Sample:
    """Draw a sample that fits another.

    Raises:
        ValueError: Its image differs in size, channels or type, or one has no label map.
    """
    other = draw(rng)
    ours, theirs = ((one.image.shape, one.image.dtype, one.labels.shape) for one in (sample, other))
    if ours != theirs:
        raise ValueError(
            f"{sample.name} and {other.name} cannot be mixed: their images are {ours[1]} of shape "
            f"{ours[0]} and {theirs[1]} of shape {theirs[0]}"
        )
    return other


@dataclass(frozen=True, kw_only=True)
class CutMix(Mix):
    """Paste a rectangle of another sample at the place it has there.

    Yun et al. 2019, arXiv:1905.04899: its share of the area is `1 - l`, `l` from the beta
    distribution (alpha, alpha), its centre is anywhere, and what reaches over the edge is lost.

    Attributes:
        alpha: Parameter of the distribution; with 1 all areas are as likely.
    """

    name: ClassVar[str] = "cutmix"

    alpha: float = number(1.0, 0.01, 100)

    def mix(self, sample: Sample, rng: Rng, draw: Draw) -> Sample:
        """Draw the other sample, the area and the place."""
        other = drawn_like(sample, rng, draw)
        side = math.sqrt(1 - rng.beta(self.alpha, self.alpha))
        box = tuple(_around(length, side, rng) for length in sample.labels.shape)
        image, mask = sample.image.copy(), sample.labels.copy()
        image[box], mask[box] = other.image[box], other.labels[box]
        return replace(sample, image=image, mask=mask)


def _around(length: int, share: float, rng: Rng) -> slice:
    middle, half = rng.uniform(0, length), share * length / 2
    return slice(max(round(middle - half), 0), min(round(middle + half), length))


@dataclass(frozen=True, kw_only=True)
class Mosaic(Mix):
    """Show parts of this and of three other samples around a point.

    Bochkovskiy et al. 2020, arXiv:2004.10934, where the four are also scaled; here each quarter is
    a random part of its sample at its own scale, so that nothing is resampled: a `zoom` behind it
    scales all four at once.

    Attributes:
        margin: Least distance of the point from the edges, as a share of the sides.
    """

    name: ClassVar[str] = "mosaic"

    margin: float = number(0.25, 0, 0.5)

    def mix(self, sample: Sample, rng: Rng, draw: Draw) -> Sample:
        """Draw the point, the other samples and their parts."""
        others = [drawn_like(sample, rng, draw) for _ in range(3)]
        cuts = [
            round(length * rng.uniform(self.margin, 1 - self.margin))
            for length in sample.labels.shape
        ]
        halves = [(slice(0, cut), slice(cut, None)) for cut in cuts]
        places = [(rows, columns) for rows in halves[0] for columns in halves[1]]
        image, mask = sample.image.copy(), sample.labels.copy()
        for place, part in zip(places, (sample, *others), strict=True):
            window = _somewhere(mask[place].shape, mask.shape, rng)
            image[place], mask[place] = part.image[window], part.labels[window]
        return replace(sample, image=image, mask=mask)


def _somewhere(size: Sequence[int], within: Sequence[int], rng: Rng) -> tuple[slice, ...]:
    """Return a window of `size` at a random place."""
    starts = [int(rng.integers(b - a + 1)) for a, b in zip(size, within, strict=True)]
    return tuple(slice(start, start + a) for start, a in zip(starts, size, strict=True))


@dataclass(frozen=True, kw_only=True)
class CopyPaste(Mix):
    """Paste objects of another sample at random places.

    Ghiasi et al. 2020, arXiv:2012.07177, without scaling. An object is a connected piece of one
    label with at least 16 pixels; those that touch are one. It keeps its shape and lies whole
    inside the image.

    Attributes:
        objects: Number of objects, of labels that are drawn among those there.
        classes: Labels whose pieces are objects; by default all but 0, the background.
    """

    name: ClassVar[str] = "copy_paste"

    objects: int = number(3, 1, 100)
    classes: Sequence[int] | None = labels_or_none()

    def mix(self, sample: Sample, rng: Rng, draw: Draw) -> Sample:
        """Draw the other sample, the objects and their places."""
        other = drawn_like(sample, rng, draw)
        image, mask = sample.image.copy(), sample.labels.copy()
        for window, shape in self._chosen(other.labels, rng):
            place = _somewhere(shape.shape, mask.shape, rng)
            image[place][shape] = other.image[window][shape]
            mask[place][shape] = other.labels[window][shape]
        return replace(sample, image=image, mask=mask)

    def _chosen(self, labels: np.ndarray, rng: Rng) -> Iterator[tuple[tuple[slice, slice], Any]]:
        """Give the windows of the objects, and where in them the object is, a bool array."""
        found = [label for label in _present(labels) if self._is_object(label)]
        chosen = rng.choice(found, self.objects).tolist() if found else []
        for label in sorted(set(chosen)):
            here = (labels == label).view(np.uint8)
            _, pieces, stats, _ = cv2.connectedComponentsWithStats(here)
            large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= _SMALLEST_OBJECT) + 1
            for piece in rng.permutation(large)[: chosen.count(label)]:
                x, y, width, height = stats[piece, :4]
                window = slice(y, y + height), slice(x, x + width)
                yield window, pieces[window] == piece

    def _is_object(self, label: int) -> bool:
        if label == self.void:
            return False
        return label != 0 if self.classes is None else label in self.classes


def _present(labels: np.ndarray) -> list[int]:
    """Return the labels of a map in order; for bytes much faster than `np.unique`."""
    if labels.dtype == np.uint8:
        return np.flatnonzero(np.bincount(labels.ravel())).tolist()
    return np.unique(labels).tolist()
