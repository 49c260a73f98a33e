"""Operations that change colours: hue, saturation and value, and curves over all values."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from kseg.data.augment.fields import number
from kseg.data.augment.operation import Operation, PixelChange, Rng
from kseg.data.dataset import Sample

Curve = Callable[[np.ndarray, float], np.ndarray]
"""From values 0..255 and their mean to new values."""


@dataclass(frozen=True, kw_only=True)
class Hsv(PixelChange):
    """Multiply hue, saturation and value; only images of three channels change.

    Hue goes round: with `hue=0.1` red stays and magenta moves most, by a tenth of the circle.

    Attributes:
        hue: Largest relative change of the hue.
        saturation: Largest relative change of the saturation.
        value: Largest relative change of the value.
    """

    name: ClassVar[str] = "hsv"

    hue: float = number(0.1, 0, 1)
    saturation: float = number(0.7, 0, 1)
    value: float = number(0.3, 0, 1)

    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Draw the three factors evenly."""
        factors = 1 + rng.uniform(-1, 1, 3) * (self.hue, self.saturation, self.value)
        if sample.image.shape[2] != 3 or (factors == 1).all():
            return sample
        scale = _scale_bytes if sample.image.dtype == np.uint8 else _scale_floats
        return replace(sample, image=scale(sample.image, factors))


def _scale_bytes(image: np.ndarray, factors: np.ndarray) -> np.ndarray:
    # Plane by plane OpenCV takes half as long as with one table for the three.
    hue, *others = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL))
    turned = (np.rint(np.arange(256) * factors[0]) % 256).astype(np.uint8)
    scaled = map(cv2.convertScaleAbs, others, (None, None), factors[1:])
    return cv2.cvtColor(cv2.merge([cv2.LUT(hue, turned), *scaled]), cv2.COLOR_HSV2RGB_FULL)


def _scale_floats(image: np.ndarray, factors: np.ndarray) -> np.ndarray:
    # Hue is 0..360, going round on the way back, saturation 0..1, and value as in the image.
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv *= factors.astype(np.float32)
    np.minimum(hsv, np.array([np.inf, 1, 255], np.float32), out=hsv)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


class Tone(Operation):
    """Changes each value by a curve; `Tones` puts the curves of several into one table."""

    @abstractmethod
    def curve(self, rng: Rng) -> Curve:
        """Draw the curve."""


@dataclass(frozen=True, kw_only=True)
class Brightness(Tone):
    """Add the same to all values.

    Attributes:
        amount: Largest change, as a share of the range of values.
    """

    name: ClassVar[str] = "brightness"

    amount: float = number(0.2, 0, 1)

    def curve(self, rng: Rng) -> Curve:
        """Draw the summand evenly."""
        added = 255 * rng.uniform(-self.amount, self.amount)
        return lambda values, mean: values + added


@dataclass(frozen=True, kw_only=True)
class Contrast(Tone):
    """Multiply the distance of all values from the image's mean.

    Attributes:
        amount: Largest relative change of the distance.
    """

    name: ClassVar[str] = "contrast"

    amount: float = number(0.3, 0, 1)

    def curve(self, rng: Rng) -> Curve:
        """Draw the factor evenly."""
        factor = 1 + rng.uniform(-self.amount, self.amount)
        return lambda values, mean: values * factor + mean * (1 - factor)


@dataclass(frozen=True, kw_only=True)
class Gamma(Tone):
    """Raise all values, as shares of the range, to a power.

    Attributes:
        most: Largest power; the smallest is its inverse.
    """

    name: ClassVar[str] = "gamma"

    most: float = number(1.5, 1, 10)

    def curve(self, rng: Rng) -> Curve:
        """Draw the power so that its logarithm is even."""
        power = math.exp(rng.uniform(-1, 1) * math.log(self.most))
        if power == 1:
            return lambda values, mean: values
        return lambda values, mean: 255 * (np.clip(values, 0, 255) / 255) ** power


@dataclass(frozen=True)
class Tones:
    """Changes the values of a sample by several curves in one pass.

    Attributes:
        operations: The curves, in their order.
    """

    operations: Sequence[Tone]

    def __call__(self, sample: Sample, rng: Rng) -> Sample:
        """Return the sample with new values."""
        curves = [one.curve(rng) for one in self.operations if one.happens(rng)]
        if not curves:
            return sample
        image = sample.image
        mean = cv2.mean(image.reshape(len(image), -1))[0]
        if image.dtype == np.uint8:
            table = np.rint(_through(curves, np.arange(256.0), mean)).astype(np.uint8)
            return replace(sample, image=cv2.LUT(image, table).reshape(image.shape))
        return replace(sample, image=_through(curves, image, mean).astype(image.dtype, copy=False))


def _through(curves: Sequence[Curve], values: np.ndarray, mean: float) -> np.ndarray:
    for curve in curves:
        values, mean = curve(values, mean), float(curve(np.array(mean), mean))
    return np.clip(values, 0, 255)
