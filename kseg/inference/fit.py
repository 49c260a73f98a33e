"""Images of any size as batches for a network, and its answers back at the size of the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kseg.data.resize import Placement, place, resize_image
from kseg.inference.device import resized_labels
from kseg.inference.engines.base import SMALLEST_SIZE
from kseg.inference.engines.scores import best_class, scores_to_labels, sigmoid, softmax

_LEAST_PROBABILITY = np.float32(1e-30)


@dataclass(frozen=True)
class Fitted:
    """Images that share a batch.

    Attributes:
        batch: `(N, h, w, channels)`.
        indices: Which images these are.
        placements: Where each lies in its input.
        sizes: Their own heights and widths.
    """

    batch: np.ndarray
    indices: Sequence[int]
    placements: Sequence[Placement]
    sizes: Sequence[tuple[int, int]]

    @property
    def own_size(self) -> bool:
        """Whether no image was enlarged or shrunk, so that labels need only be cut out."""
        pairs = zip(self.placements, self.sizes, strict=True)
        return all((place.height, place.width) == size for place, size in pairs)


def resized(images: Sequence[np.ndarray], target: tuple[int, int], resize_op: int) -> Fitted:
    """Stretch (1) or letterbox (2) images into a batch of the size `target`, as in training."""
    sizes = [image.shape[:2] for image in images]
    return Fitted(
        np.stack([resize_image(image, target, resize_op) for image in images]),
        range(len(images)),
        [place(size, target, resize_op) for size in sizes],
        sizes,
    )


def padded(
    images: Sequence[np.ndarray], multiple: int, fixed: tuple[int, int] | None
) -> list[Fitted]:
    """Pad images at the bottom and right with their mirror image; one batch for each size.

    Args:
        images: Images `(H, W, channels)`.
        multiple: Height and width become multiples of this, and at least 32.
        fixed: Height and width of the only size that the model takes, or None.

    Raises:
        ValueError: An image is larger than `fixed`.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(images):
        target = fixed or tuple(_round_up(length, multiple) for length in image.shape[:2])
        if target[0] < image.shape[0] or target[1] < image.shape[1]:
            raise ValueError(
                f"an image of {image.shape[1]}x{image.shape[0]} pixels (width x height) cannot be "
                f"padded into the {target[1]}x{target[0]} that the model is fixed to; cut it into "
                "tiles, or resize it as in training"
            )
        groups.setdefault((*target, image.dtype.num), []).append(index)
    return [_padded_group(images, indices, key[:2]) for key, indices in groups.items()]


def _round_up(length: int, multiple: int) -> int:
    return max(SMALLEST_SIZE, length + -length % multiple)


def _padded_group(
    images: Sequence[np.ndarray], indices: list[int], target: tuple[int, ...]
) -> Fitted:
    sizes = [images[index].shape[:2] for index in indices]
    batch = [
        np.pad(
            images[index], ((0, target[0] - size[0]), (0, target[1] - size[1]), (0, 0)), "reflect"
        )
        for index, size in zip(indices, sizes, strict=True)
    ]
    return Fitted(np.stack(batch), indices, [Placement(0, 0, *size) for size in sizes], sizes)


def cut_out(array: np.ndarray, placement: Placement) -> np.ndarray:
    """Return the part of an answer `(h, w, ...)` where the image lies."""
    rows = slice(placement.top, placement.top + placement.height)
    columns = slice(placement.left, placement.left + placement.width)
    return array[rows, columns]


def scores_back(scores: np.ndarray, placement: Placement, size: tuple[int, int]) -> np.ndarray:
    """Return probabilities `(h, w, C)` of an input as those of its image, `(H, W, C)`."""
    return resized_scores(cut_out(scores, placement), size)


def resized_scores(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize probabilities `(h, w, C)` to `(H, W, C)`, as `labels_back` interpolates them."""
    if scores.shape[:2] == tuple(size):
        return scores
    planes = [_resized(plane, size) for plane in _log_planes(scores)]
    if len(planes) == 1:
        chance = sigmoid(planes[0])
        return np.stack([1 - chance, chance], axis=-1)
    return softmax(np.stack(planes, axis=-1))


def labels_back(
    scores: np.ndarray, placement: Placement, size: tuple[int, int], *, on_device: bool = False
) -> np.ndarray:
    """Return the labels `(H, W)` of an image, the best class of `scores_back`.

    The logarithms of probabilities are interpolated. They differ from logits by a number per
    pixel that all classes share, so that the best class is that of interpolated logits; edges are
    nearer to the truth than those of interpolated probabilities.

    Args:
        scores: Probabilities of the input, `(h, w, C)`.
        placement: Where the image lies in it.
        size: Height and width of the image.
        on_device: Interpolate more than two classes where Keras computes.
    """
    inner = cut_out(scores, placement)
    if inner.shape[:2] == tuple(size):
        return scores_to_labels(inner)
    planes = _log_planes(inner)
    if on_device and len(planes) > 1:
        return resized_labels(np.stack(planes, axis=-1), size)
    return best_class([_resized(plane, size) for plane in planes])


def _log_planes(scores: np.ndarray) -> Sequence[np.ndarray]:
    """Return the logarithm for each class; of two classes their difference, which is enough."""
    logs = np.log(np.maximum(scores, _LEAST_PROBABILITY))
    if scores.shape[-1] == 2:
        return [logs[..., 1] - logs[..., 0]]
    return [np.ascontiguousarray(logs[..., index]) for index in range(logs.shape[-1])]


def _resized(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR)
