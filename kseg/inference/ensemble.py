"""Models that answer together: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kseg.inference.device import has_accelerator
from kseg.inference.engines.base import Engine, Run
from kseg.inference.engines.keras import KerasEngine
from kseg.inference.fit import Fitted, cut_out, labels_back, padded, resized, scores_back
from kseg.inference.tta import View, averaged
from kseg.models import model_spec

_COARSEST_STRIDE = 32
# Labels are bytes, in memory and in all label maps that are written.
_MOST_CLASSES = 256


def mean_of(engines: Sequence[Engine]) -> Run:
    """Return a function from a batch to the mean of the probabilities of some models."""
    if len(engines) == 1:
        return engines[0].probabilities
    count = np.float32(len(engines))
    return lambda batch: sum(engine.probabilities(batch) for engine in engines) / count


def check_ensemble(engines: Sequence[Engine]) -> None:
    """Refuse models that cannot answer together.

    Raises:
        ValueError: There is none, two have other classes or take other images, or there are more
            classes than labels.
    """
    if not engines:
        raise ValueError("there is no model to predict with")
    ours, channels = list(engines[0].info.class_names), engines[0].channels
    if len(ours) > _MOST_CLASSES:
        raise ValueError(
            f"the model has {len(ours)} classes, but label maps hold {_MOST_CLASSES} at most"
        )
    for number, other in enumerate(engines[1:], 2):
        theirs = list(other.info.class_names)
        if theirs != ours:
            raise ValueError(
                f"models that answer together need the same classes, but the first one has "
                f"{len(ours)} ({', '.join(ours)}) and number {number} has {len(theirs)} "
                f"({', '.join(theirs)})"
            )
        if other.channels != channels:
            raise ValueError(
                f"models that answer together need the same images, but the first one takes "
                f"{channels} channels and number {number} takes {other.channels}"
            )


@dataclass(frozen=True)
class Group:
    """Models that see the same batches, whose mean is taken at their own size.

    Attributes:
        engines: The models.
        views: Views of each image.
        pad: Images are padded to the stride of the models, else resized as in training.
    """

    engines: Sequence[Engine]
    views: Sequence[View]
    pad: bool

    def batches(self, images: Sequence[np.ndarray]) -> Iterable[Fitted]:
        """Return batches of images `(H, W, channels)`."""
        if not images:
            return []
        first = self.engines[0]
        if self.pad:
            stride = max(_stride(engine.info.model_name) for engine in self.engines)
            return padded(images, stride, first.size)
        return [resized(images, _target(first), first.info.resize_op)]

    def scores(self, part: Fitted) -> list[np.ndarray]:
        """Return the probabilities `(H, W, C)` of each image of a batch at its own size."""
        scores = averaged(mean_of(self.engines), self.views)(part.batch)
        return [scores_back(*one) for one in zip(scores, part.placements, part.sizes, strict=True)]

    def labels(self, part: Fitted) -> list[np.ndarray]:
        """Return the labels `(H, W)` of each image; of unchanged size they are the model's own."""
        if part.own_size and len(self.engines) == len(self.views) == 1:
            labels = self.engines[0].labels(part.batch)
            return [cut_out(*one) for one in zip(labels, part.placements, strict=True)]
        scores = averaged(mean_of(self.engines), self.views)(part.batch)
        # Asking for the device would make TensorFlow take a GPU that another runtime needs.
        on_device = isinstance(self.engines[0], KerasEngine) and has_accelerator()
        return [
            labels_back(*one, on_device=on_device)
            for one in zip(scores, part.placements, part.sizes, strict=True)
        ]


def grouped(engines: Sequence[Engine], views: Sequence[View], *, pad: bool) -> list[Group]:
    """Put models together that see the same batches."""
    groups: dict[Hashable, list[Engine]] = {}
    for engine in engines:
        key = engine.size if pad else (_target(engine), engine.info.resize_op)
        groups.setdefault(key, []).append(engine)
    return [Group(members, views, pad) for members in groups.values()]


def _target(engine: Engine) -> tuple[int, int]:
    return engine.size or (engine.info.input_height, engine.info.input_width)


def _stride(model_name: str) -> int:
    try:
        return model_spec(model_name).stride
    except ValueError:
        return _COARSEST_STRIDE
