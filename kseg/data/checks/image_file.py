"""What an image file holds, and what about it is unusual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from kseg.data.checks.finding import Finding
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.label_counts import digest

THUMBNAIL = 16
_ORIENTATION = 274
# Chips of up to 14 bits leave the upper part of 16-bit values empty; after division by 257:
_DARK = 2**14 / 257
_ANIMATED = ("GIF", "PNG", "WEBP")


@dataclass(frozen=True)
class ImageFacts:
    """What an image file holds.

    Attributes:
        file: The image file.
        size: Height and width as training sees them, or None where it cannot be read.
        orientation: EXIF orientation, 1 where it is upright.
        deep: It has more than 8 bits per channel.
        digest: Hash of its pixels; "" where they are all equal or cannot be read.
        thumbnail: Grey values, float32 `(16, 16)`, or None.
        findings: What is wrong with the file alone.
    """

    file: Path
    size: tuple[int, int] | None = None
    orientation: int = 1
    deep: bool = False
    digest: str = ""
    thumbnail: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def raw_size(self) -> tuple[int, int] | None:
        """Height and width before the image is turned by its EXIF orientation."""
        return self.size if self.orientation < 5 or self.size is None else self.size[::-1]


def inspect_image(dataset: Dataset, files: SampleFiles) -> ImageFacts:
    """Return the facts of a sample's image file."""
    file = files.image
    try:
        image = dataset.load_image(files)
    except ValueError as error:
        message = str(error).removeprefix(f"{file}: ")
        return ImageFacts(file, findings=(Finding("unreadable", file, message),))
    blank = bool((image == image[:1, :1]).all())
    orientation, unusual = _header(file)
    kinds = [*unusual, *_unusual_values(image, blank)]
    return ImageFacts(
        file,
        size=(image.shape[0], image.shape[1]),
        orientation=orientation,
        deep=image.dtype != np.uint8,
        digest="" if blank else digest(image),
        thumbnail=None if blank else thumbnail(image),
        findings=tuple(Finding(kind, file, value) for kind, value in kinds),
    )


def thumbnail(image: np.ndarray, size: int = THUMBNAIL) -> np.ndarray:
    """Return the mean grey values of an image `(H, W, C)` in `size` x `size` fields, float32."""
    small = cv2.resize(image[..., :3], (size, size), interpolation=cv2.INTER_AREA)
    return small.reshape(size, size, -1).mean(axis=-1, dtype=np.float32)


def _unusual_values(image: np.ndarray, blank: bool) -> Iterator[tuple[str, str]]:
    if blank:
        yield "blank_image", f"every pixel is {image[0, 0].tolist()}"
    elif image.dtype != np.uint8 and (high := float(image.max())) < _DARK:
        yield (
            "sixteen_bit",
            f"its brightest value is {high * 257:.0f} of 65535, so it is almost black",
        )


def _header(file: Path) -> tuple[int, list[tuple[str, str]]]:
    """Return the EXIF orientation and what the header shows: kinds and values of findings."""
    try:
        with Image.open(file) as image:
            value = image.getexif().get(_ORIENTATION, 1)
            return (value if value in range(1, 9) else 1), list(_unusual_header(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 1, []  # no picture that Pillow knows, such as a NumPy array


def _unusual_header(image: Image.Image) -> Iterator[tuple[str, str]]:
    if image.mode == "CMYK":
        yield "cmyk", "its colours are CMYK"
    if image.format in _ANIMATED and (frames := getattr(image, "n_frames", 1)) > 1:
        yield "more_pages", f"it has {frames} pictures"
    if image.has_transparency_data:
        lowest = int(np.asarray(image.convert("RGBA").getchannel("A")).min())
        if lowest < 255:
            yield "transparent", f"its opacity goes down to {lowest} of 255"
