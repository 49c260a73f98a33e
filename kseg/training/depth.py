"""The type of the batches of a run: whether any image has more than 8 bits per channel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kseg.data.dataset import SampleFiles
from kseg.data.decode import (
    NUMPY_START,
    PNG_START,
    TIFF_STARTS,
    first_bytes,
    open_image,
    open_numpy,
)
from kseg.data.tiff import full_pages

_EIGHT_BITS = 8
_NEVER_DEEP = (".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_NETPBM_STARTS = (b"P2", b"P3", b"P5", b"P6")


def batch_type(files: Iterable[SampleFiles]) -> type[np.generic]:
    """Return float32 where an image is deeper than 8 bits, as its header says, else uint8.

    TensorFlow takes the type of all batches from the first one, and would cut the values of a
    later one to it. Images within label files count as 8 bits.

    Args:
        files: The samples of a run.

    Raises:
        ValueError: A file is missing or damaged.
    """
    images = dict.fromkeys(one.image for one in files if one.image != one.mask)
    return np.float32 if any(map(_is_deep, images)) else np.uint8


def _is_deep(path: Path) -> bool:
    if path.suffix.lower() in _NEVER_DEEP:
        return False
    start = first_bytes(path)
    if start.startswith(PNG_START):
        return start[24] > _EIGHT_BITS
    if start.startswith(NUMPY_START):
        return open_numpy(path).dtype.itemsize > 1
    if start.startswith(TIFF_STARTS):
        return any(page.bitspersample > _EIGHT_BITS for page in full_pages(path))
    if start.startswith(_NETPBM_STARTS):
        with open_image(path) as image:
            return image.mode.startswith("I")
    return False
