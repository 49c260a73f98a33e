"""Operations that disturb an image: blur, noise, JPEG artefacts, and holes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from kseg.data.augment.fields import number, require_order
from kseg.data.augment.operation import PixelChange, Rng
from kseg.data.augment.resample import holdable
from kseg.data.dataset import Sample
from kseg.data.planes import by_fours
from kseg.data.resize import BORDER_GREY

# Below this a Gaussian kernel is a single pixel in 8 bits.
_NO_BLUR = 0.2
_NOISE_SD = 32
_NOISE_COUNT = 1 << 21


@dataclass(frozen=True, kw_only=True)
class Blur(PixelChange):
    """Blur by a Gaussian.

    Attributes:
        sigma: Largest standard deviation in pixels.
    """

    name: ClassVar[str] = "blur"

    sigma: float = number(1.2, 0, 20)

    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Draw the standard deviation evenly."""
        sigma = rng.uniform(0, self.sigma)
        if sigma < _NO_BLUR:
            return sample
        image = by_fours(lambda part: cv2.GaussianBlur(part, (0, 0), sigma), sample.image)
        return replace(sample, image=image)


@dataclass(frozen=True, kw_only=True)
class Noise(PixelChange):
    """Add normal noise to each value by itself.

    The noise is a piece, from a random place on, of two million numbers drawn once.

    Attributes:
        sd: Largest standard deviation, in values of 0..255.
    """

    name: ClassVar[str] = "noise"

    sd: float = number(10.0, 0, 100)

    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Draw the standard deviation evenly."""
        image, factor = sample.image, rng.uniform(0, self.sd) / _NOISE_SD
        if factor == 0:
            return sample
        kind = cv2.CV_8U if image.dtype == np.uint8 else cv2.CV_32F
        flat = image.reshape(len(image), -1)
        noise = _piece(image.size, rng).reshape(flat.shape)
        noisy = cv2.addWeighted(flat, 1, noise, factor, -128 * factor, dtype=kind)
        if kind == cv2.CV_32F:
            np.clip(noisy, 0, 255, out=noisy)
        return replace(sample, image=noisy.reshape(image.shape))


def _piece(count: int, rng: Rng) -> np.ndarray:
    """Return `count` of the numbers, from a random one on and round at the end."""
    table = _normal_bytes()
    start = int(rng.integers(len(table)))
    piece = table[start : start + count]
    return piece if len(piece) == count else np.resize(np.append(piece, table), count)


@lru_cache(maxsize=1)
def _normal_bytes() -> np.ndarray:
    """Return normal noise of mean 128 as bytes; 4 standard deviations fit."""
    noise = np.random.default_rng(0).normal(128, _NOISE_SD, _NOISE_COUNT)
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Jpeg(PixelChange):
    """Compress as JPEG and decode again; other than three channels each by itself, as grey.

    Images of float32 are rounded to 8 bits by it.

    Attributes:
        low: Lowest quality.
        high: Highest quality.
    """

    name: ClassVar[str] = "jpeg"

    low: int = number(40, 1, 100)
    high: int = number(95, 1, 100)

    def __post_init__(self) -> None:
        """Check the order of the qualities too."""
        super().__post_init__()
        require_order(self.low, self.high)

    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Draw the quality evenly."""
        quality = int(rng.integers(self.low, self.high + 1))
        image = sample.image
        pixels = image if image.dtype == np.uint8 else np.rint(image).astype(np.uint8)
        if image.shape[2] == 3:
            pixels = _decoded(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
        else:
            planes = [np.ascontiguousarray(plane) for plane in np.moveaxis(pixels, 2, 0)]
            pixels = np.stack([_decoded(plane, quality) for plane in planes], axis=2)
        return replace(sample, image=pixels.astype(image.dtype, copy=False))


def _decoded(pixels: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    mode = cv2.IMREAD_COLOR_RGB if pixels.ndim == 3 else cv2.IMREAD_GRAYSCALE
    return np.asarray(cv2.imdecode(data, mode))


@dataclass(frozen=True, kw_only=True)
class CutOut(PixelChange):
    """Cover rectangles with grey; what they hide counts no longer.

    DeVries and Taylor 2017, arXiv:1708.04552. There one label for the whole image stays; here the
    covered pixels become void, since nobody could label them.

    Attributes:
        size: Largest side of a rectangle, as a share of the image's; the smallest is a quarter of
            it.
        count: Number of rectangles.
    """

    name: ClassVar[str] = "cutout"

    size: float = number(0.25, 0, 1)
    count: int = number(1, 1, 100)

    def change(self, sample: Sample, rng: Rng) -> Sample:
        """Draw sides and places evenly."""
        image = sample.image.copy()
        mask = None if sample.mask is None else sample.mask.copy()
        for _ in range(self.count):
            rows, columns = (_interval(length, self.size, rng) for length in image.shape[:2])
            image[rows, columns] = BORDER_GREY
            if mask is not None:
                mask[rows, columns] = holdable(sample, self.void)
        return replace(sample, image=image, mask=mask)


def _interval(length: int, share: float, rng: Rng) -> slice:
    size = round(length * rng.uniform(share / 4, share))
    start = int(rng.integers(length - size + 1))
    return slice(start, start + size)
