"""Images that an exported model and its original are compared on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from kseg.config.export import ExportConfig
from kseg.data.classes import with_channels
from kseg.data.io import read_image
from kseg.data.pairing import list_images
from kseg.data.parts import iter_parts
from kseg.data.registry import open_dataset
from kseg.data.resize import resize_image
from kseg.export.source import Source

_DRAWN = ("parts", "parts_multiclass")


def real_images(config: ExportConfig, source: Source, count: int) -> list[np.ndarray]:
    """Return images of the kind that the model is for, uint8 `(H, W, C)` of any size.

    They are those of `images`; else test images of the data set that the model was trained on;
    else drawings.

    Raises:
        ValueError: The folder `images` has none.
    """
    if config.images is not None:
        files = list_images(Path(config.images))[:count]
        return [read_image(file, source.channels) for file in files]
    return _test_images(source, count) or _drawings(source, count)


def _test_images(source: Source, count: int) -> list[np.ndarray]:
    """Return images of the run's data set, none where it has no run or data set any more."""
    if source.run is None:
        return []
    settings = yaml.safe_load(source.run.config.read_text("utf-8"))
    name = settings.get("dataset_name", "parts")
    if name in _DRAWN:
        return []
    try:
        dataset = open_dataset(name, settings.get("data_root", "data"))
        dataset = with_channels(dataset, source.channels)
        return [dataset.load_image(files) for files in (dataset.test or dataset.val)[:count]]
    except (OSError, ValueError):
        return []


def _drawings(source: Source, count: int) -> list[np.ndarray]:
    size = (source.info.input_height, source.info.input_width)
    channels = [index % 3 for index in range(source.channels)]
    return [image[..., channels] for image, _ in iter_parts("test", count, size=size)]


def random_images(size: tuple[int, int], channels: int, count: int) -> np.ndarray:
    """Return noise, uint8 `(count, H, W, channels)`; always the same."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *size, channels), dtype=np.uint8)


def batch_of(
    images: Sequence[np.ndarray], size: tuple[int, int], source: Source, noise: int = 1
) -> np.ndarray:
    """Return images resized as in training, and some noise, uint8 `(N, H, W, C)`."""
    resized = [resize_image(image, size, source.info.resize_op) for image in images]
    return np.concatenate([np.stack(resized), random_images(size, source.channels, noise)])
