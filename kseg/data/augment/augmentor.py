"""Augmentor's operations, applied so that label maps stay label maps.

Augmentor resamples everything bicubically, label maps too, which invents labels. Here it moves the
image and, in the same way, the coordinates of its pixels; labels are then looked up at the nearest
pixel. So every label of a result is one of the source, or void where Augmentor fills with black.
"""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kseg.data.augment.read import check_known

MOVING = (
    *("rotate", "rotate_without_crop", "rotate90", "rotate180", "rotate270", "rotate_random_90"),
    *("flip_left_right", "flip_top_bottom", "flip_random"),
    *("zoom", "zoom_random", "crop_by_size", "crop_centre", "crop_random", "scale", "resize"),
    *("skew", "skew_tilt", "skew_left_right", "skew_top_bottom", "skew_corner", "shear"),
    *("random_distortion", "gaussian_distortion"),
)
COLOURING = (
    *("random_brightness", "random_color", "random_contrast", "histogram_equalisation"),
    *("greyscale", "black_and_white", "invert", "random_erasing"),
)
DEFAULT_OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    "rotate": {"probability": 0.5, "max_left_rotation": 5, "max_right_rotation": 5},
    "flip_left_right": {"probability": 0.5},
    "zoom_random": {"probability": 0.5, "percentage_area": 0.8},
}


class Step(NamedTuple):
    """One of Augmentor's operations.

    Attributes:
        name: Name of the method of Augmentor's `Pipeline`.
        probability: Probability that it happens.
        for_image: What happens to the image.
        for_coordinates: What happens to the coordinates; None where nothing moves.
    """

    name: str
    probability: float
    for_image: Any
    for_coordinates: Any


class Augmented(NamedTuple):
    """A result of `run_steps`.

    Attributes:
        image: uint8 RGB `(H, W, 3)`.
        labels: Label map `(H, W)`, 0 where `known` is False.
        known: Where the source has pixels, bool `(H, W)`.
    """

    image: np.ndarray
    labels: np.ndarray
    known: np.ndarray


def make_steps(operations: Mapping[str, Mapping[str, Any]]) -> list[Step]:
    """Return Augmentor's operations for names and parameters of its `Pipeline`'s methods.

    Raises:
        ValueError: An operation or parameter that is unknown, missing or out of range.
    """
    from Augmentor import Pipeline

    pipeline = Pipeline()
    steps = []
    for name, parameters in operations.items():
        check_known([name], (*MOVING, *COLOURING), "operation")
        method = getattr(pipeline, name)
        signature = inspect.signature(method)
        try:
            check_known(parameters, signature.parameters, "parameter")
            signature.bind(**parameters)
            method(**parameters)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None
        operation = pipeline.operations[-1]
        moving = _without_fill(operation) if name in MOVING else None
        # Augmentor rounds its random number to one decimal; here the probability is exact.
        steps.append(Step(name, operation.probability, operation, moving))
    return steps


def _without_fill(operation: Any) -> Any:
    """Return the operation with zeros where no image is: a colour is no coordinate."""
    operation = copy.copy(operation)
    if hasattr(operation, "fillcolor"):
        operation.fillcolor = None
    return operation


def run_steps(
    steps: Sequence[Step], image: np.ndarray, labels: np.ndarray, seed: Sequence[int]
) -> Augmented:
    """Apply steps, each by its probability, to an image and its label map.

    Args:
        steps: What may happen.
        image: uint8 RGB `(H, W, 3)`.
        labels: Label map `(H, W)` of any integer type.
        seed: Numbers of at least 0; the result depends on nothing else.

    Raises:
        ValueError: A step cannot work on an image of this size, or with its parameters.
    """
    with _random_numbers(seed):
        source = _Source(Image.fromarray(image), labels)
        for step in steps:
            if random.random() < step.probability:
                _apply(step, source)
    return source.result()


def _apply(step: Step, source: _Source) -> None:
    size = source.image.size
    try:
        source.apply(step)
    except (ArithmeticError, IndexError, OSError, TypeError, ValueError) as error:
        raise ValueError(f"{step.name} fails on an image of {size[0]}x{size[1]}: {error}") from None


@dataclass
class _Source:
    """An image, and where its pixels came from: planes of x, y and 1."""

    image: Image.Image
    labels: np.ndarray

    def __post_init__(self) -> None:
        y, x = np.indices(self.labels.shape).astype(np.float32)
        planes = np.stack([x, y, np.ones_like(x)])
        self.planes = [Image.fromarray(np.asarray(plane)) for plane in planes]

    def apply(self, step: Step) -> None:
        # Some operations draw numbers for each image of a list: all get the same ones.
        before = random.getstate(), np.random.get_state()
        (image,) = step.for_image.perform_operation([self.image])
        self.image = image.convert("RGB")
        after = random.getstate(), np.random.get_state()
        if step.for_coordinates is not None:
            for index, plane in enumerate(self.planes):
                _set_states(before)
                (self.planes[index],) = step.for_coordinates.perform_operation([plane])
        _set_states(after)

    def result(self) -> Augmented:
        x, y, inside = (np.asarray(plane) for plane in self.planes)
        # Where the image was mixed with black, so was the plane of ones.
        known = np.abs(inside - 1) < 1e-3
        height, width = self.labels.shape
        rows = np.clip(np.rint(y), 0, height - 1).astype(np.intp)
        columns = np.clip(np.rint(x), 0, width - 1).astype(np.intp)
        return Augmented(
            np.asarray(self.image), np.where(known, self.labels[rows, columns], 0), known
        )


@contextmanager
def _random_numbers(seed: Sequence[int]) -> Iterator[None]:
    """Seed the generators that Augmentor shares with the whole program, and put them back."""
    before = random.getstate(), np.random.get_state()
    numbers = np.random.SeedSequence(list(seed)).generate_state(2)
    try:
        random.seed(int(numbers[0]))
        np.random.seed(int(numbers[1]))
        yield
    finally:
        _set_states(before)


def _set_states(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
