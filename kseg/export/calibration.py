"""Images that show the converters to 8 bits which numbers occur in a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kseg.config import EvaluateConfig
from kseg.config.export_formats import CalibratedConfig
from kseg.data.io import IMAGE_SUFFIXES, read_image
from kseg.data.pairing import list_images
from kseg.data.parts_dataset import NAMES as DRAWN
from kseg.data.resize import resize_image
from kseg.export.graph import export_size
from kseg.export.source import Source
from kseg.inference.evaluation.truth import Truth, truth_of

One = TypeVar("One")

_WHERE = (
    "give --calibration_data, a data set in any layout of docs/data.md or a folder of images like "
    "those that the model will see"
)


def calibration_images(config: CalibratedConfig, source: Source) -> Iterator[np.ndarray]:
    """Return images as they enter the network, to run the model on while ranges are recorded.

    They are the training images of the data set in `config.calibration_data`, or the images of
    that folder; without it the training images of the run. Of more than
    `config.calibration_images` so many are taken at even distances.

    Args:
        config: The settings of the export.
        source: The model.

    Returns:
        An iterator of uint8 images `(H, W, channels)`, fitted into the input as in training.

    Raises:
        ValueError: There are no images; one sentence says where they could come from.
    """
    files, read = _calibration_files(config, source)
    chosen = evenly(files, config.calibration_images)
    return (_fitted(read(one), config, source) for one in chosen)


def calibration_batches(config: CalibratedConfig, source: Source) -> Iterator[np.ndarray]:
    """Yield the calibration images as the exported graph takes them.

    Their type, the order of their axes and the size of a batch are those of the settings. The last
    batch is filled up with its last image.

    Raises:
        ValueError: There are no images, see `calibration_images`.
    """
    images, size = calibration_images(config, source), config.batch_size
    while batch := list(islice(images, size)):
        stacked = np.stack([*batch, *[batch[-1]] * (size - len(batch))])
        planes = stacked.transpose(0, 3, 1, 2) if config.layout_in_file == "NCHW" else stacked
        yield np.ascontiguousarray(planes, config.input_dtype)


def evenly(items: Sequence[One], count: int) -> list[One]:
    """Return at most `count` items at even distances, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, count).round().astype(int)]


def _fitted(image: np.ndarray, config: CalibratedConfig, source: Source) -> np.ndarray:
    fitted = resize_image(image, export_size(source, config), source.info.resize_op)
    return np.clip(np.rint(fitted), 0, 255).astype(np.uint8)


def _calibration_files(
    config: CalibratedConfig, source: Source
) -> tuple[Sequence[Any], Callable[[Any], np.ndarray]]:
    """Return files of images and the function that reads one."""
    try:
        truth = truth_part(config, source, "train")
    except ValueError:
        folder = Path(config.calibration_data or "")
        if config.calibration_data is None or not folder.is_dir():
            raise
        images = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
        if not images:
            raise
        return list_images(folder), partial(read_image, channels=source.channels)
    if not truth.files:
        raise ValueError(f"the data set {truth.dataset.name} has no training images; {_WHERE}")
    return truth.files, truth.dataset.load_image


def truth_part(config: CalibratedConfig, source: Source, split: str) -> Truth:
    """Open a part of the data set of `calibration_data`, or of the run.

    Raises:
        ValueError: It is not there.
    """
    data = config.calibration_data
    name, root = (None, None) if data is None else _name_and_root(data)
    if data is None and source.run is None:
        raise ValueError(f"{source.file} is in no run folder that tells its data set; {_WHERE}")
    settings = EvaluateConfig([str(source.file)], dataset_name=name, data_root=root, split=split)
    try:
        return truth_of(settings, source.info, source.channels)
    except ValueError as error:
        if data is None:
            raise ValueError(
                f"the data set that {source.file} was trained on cannot be used ({error}); {_WHERE}"
            ) from None
        raise ValueError(f"--calibration_data {data}: {error}") from None


def _name_and_root(data: str) -> tuple[str, str]:
    """Return what `open_dataset` is to be asked for: a folder, or a name in the folder `data`."""
    folder = Path(data)
    if not folder.is_dir():
        if folder.name != data:
            raise ValueError(f"--calibration_data {data}: no such folder")
        return data, "data"
    # By the names of drawn data sets it would draw one into the folder.
    return "images" if folder.name in DRAWN else folder.absolute().name, data
