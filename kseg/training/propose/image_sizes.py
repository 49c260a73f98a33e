"""Heights and widths of images from their headers, without decoding them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.decode import NUMPY_START, TIFF_STARTS, exif_orientation, first_bytes, open_image
from kseg.data.tiff import full_pages
from kseg.training.propose.facts import Size, Sizes

_FIRST_TURNED = 5
"""EXIF orientations from 5 on exchange height and width."""


def image_size(dataset: Dataset, files: SampleFiles) -> Size:
    """Return height and width of an image, turned upright by its EXIF orientation.

    Raises:
        ValueError: The file is missing or no image.
    """
    path = files.image
    if path == files.mask:  # the image is a part of the label file
        height, width = dataset.load_image(files).shape[:2]
        return height, width
    start = first_bytes(path)
    if start.startswith(NUMPY_START):
        return _numpy_size(path)
    if start.startswith(TIFF_STARTS):
        page = full_pages(path)[files.page or 0]
        tag = page.tags.get("Orientation")
        return _upright(page.imagelength, page.imagewidth, tag.value if tag else 1)
    with open_image(path) as image:
        width, height = image.size
    return _upright(height, width, exif_orientation(path))


def summarise_sizes(sizes: Sequence[Size]) -> Sizes:
    """Return the range and the median of at least one height and width."""
    every = np.array(sizes)
    low, high = np.percentile(every[:, 1] / every[:, 0], (5, 95))
    rows = (every.min(0), np.median(every, axis=0), every.max(0))
    smallest, median, largest = ((round(float(h)), round(float(w))) for h, w in rows)
    return Sizes(smallest, median, largest, float(high / low))


def _numpy_size(path: Path) -> Size:
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except Exception as error:  # NumPy parses the header as Python
        raise ValueError(f"{path}: no NumPy array can be read from it ({error})") from None
    if len(shape) not in (2, 3):
        raise ValueError(f"{path}: the array has the shape {shape}, which is no image")
    return shape[0], shape[1]


def _upright(height: int, width: int, orientation: int) -> Size:
    return (width, height) if orientation >= _FIRST_TURNED else (height, width)
