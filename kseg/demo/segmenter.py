"""What the page does with an image, without anything of the page itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kseg.data.io import read_image
from kseg.inference.engines import open_engine
from kseg.inference.outputs import Result
from kseg.inference.predictor import Predictor
from kseg.inference.sources import Item


@dataclass(frozen=True)
class Answer:
    """An image and what a model found in it.

    Attributes:
        result: The image and its label map, ready to be written.
        class_names: Names of the labels.
        seconds: Time that the model took.
    """

    result: Result
    class_names: Sequence[str]
    seconds: float


class Segmenter:
    """Models that are loaded once, and the last answer, so that new colours need no new run.

    Args:
        models: Run folders, `.keras` files or exported models.
        max_megapixels: Largest image.

    Raises:
        ValueError: One of them is no model.
    """

    def __init__(self, models: Sequence[str], *, max_megapixels: float = 25.0):
        self._engines = {model: open_engine(model) for model in models}
        self._max_megapixels = max_megapixels
        # An engine is used by one thread at a time.
        self._lock = threading.Lock()
        self._last: tuple[object, Answer] | None = None

    def answer(self, path: Path, model: str, tile: int | None = None) -> Answer:
        """Segment an image.

        Args:
            path: Its file.
            model: One of the models.
            tile: Side of tiles at the image's own size, or None for the image as in training.

        Raises:
            ValueError: The file is no image that the model takes; the sentence begins with the
                file's name without its folder, which is a temporary one.
        """
        key = path, model, tile
        with self._lock:
            if self._last is None or self._last[0] != key:
                # Before the new one is made, so that there is room for it.
                self._last = None
                self._last = key, self._segment(path, model, tile)
            return self._last[1]

    def _segment(self, path: Path, model: str, tile: int | None) -> Answer:
        engine = self._engines[model]
        try:
            image = read_image(path, engine.channels)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), path.name)) from None
        self._check_size(path, image)
        start = time.perf_counter()
        (labels,) = Predictor(engine, tile=tile).predict([image])
        seconds = time.perf_counter() - start
        result = Result(Item(path, Path(path.stem)), image, labels)
        return Answer(result, engine.info.class_names, seconds)

    def _check_size(self, path: Path, image: np.ndarray) -> None:
        megapixels = image.shape[0] * image.shape[1] / 1e6
        if megapixels > self._max_megapixels:
            raise ValueError(
                f"{path.name}: the image has {megapixels:.1f} megapixels, and this page takes "
                f"{self._max_megapixels:g}; raise --max_megapixels, or use kseg predict --tile"
            )
