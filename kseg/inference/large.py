"""Images too large to be held as a whole: their label maps are written strip by strip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kseg.data.decode import NUMPY_START, TIFF_STARTS, first_bytes
from kseg.inference.huge import Sink, open_sink, open_source, segment_strips
from kseg.inference.outputs import LabelMaps, Look
from kseg.inference.predictor import Predictor
from kseg.inference.sources import Item

USUAL_TILE = 512


def pixels_of(path: Path) -> int:
    """Return the number of pixels of an image by its header, 0 where that cannot be read."""
    try:
        start = first_bytes(path)
        if start.startswith(NUMPY_START):
            height, width = np.load(path, mmap_mode="r", allow_pickle=False).shape[:2]
        elif start.startswith(TIFF_STARTS):
            height, width = _tiff_size(path)
        else:
            with Image.open(path) as image:
                width, height = image.size
    except Image.DecompressionBombError:
        return 2 * (Image.MAX_IMAGE_PIXELS or 0)
    except Exception:  # whoever decodes the file says what is wrong with it
        return 0
    return height * width


def _tiff_size(path: Path) -> tuple[int, int]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        page: Any = file.pages[0]
        return page.imagelength, page.imagewidth


class CountingSink:
    """Counts the pixels of each class on their way to another sink.

    Args:
        sink: Takes the rows.
        num_classes: Number of classes.
    """

    def __init__(self, sink: Sink, num_classes: int):
        self._sink = sink
        self.pixels = np.zeros(num_classes, np.int64)

    def write(self, start: int, labels: np.ndarray) -> None:
        """Count some rows and pass them on."""
        self.pixels += np.bincount(labels.ravel(), minlength=len(self.pixels))
        self._sink.write(start, labels)


def segment_large(predictor: Predictor, item: Item, look: Look, batch_size: int) -> dict[str, Any]:
    """Write the label map of an image, and return what was written and counted.

    The image runs in tiles of its own scale: those of the predictor, or of 512 pixels (or what the
    model is fixed to).

    Raises:
        ValueError: The image cannot be read.
    """
    (target,) = LabelMaps(look).targets(item.name)
    source = open_source(item.path, predictor.channels)
    with open_sink(target, *source.shape[:2]) as sink:
        counting = CountingSink(sink, predictor.num_classes)
        segment_strips(
            source,
            counting,
            predictor.run,
            tile=predictor.tile or _tile(predictor),
            overlap=predictor.overlap,
            num_classes=predictor.num_classes,
            batch_size=batch_size,
        )
    return {"written": [target], "pixels": counting.pixels.tolist()}


def _tile(predictor: Predictor) -> int:
    fixed = [engine.size for engine in predictor.engines if engine.size is not None]
    return fixed[0][0] if fixed else USUAL_TILE
