"""Looking at a data set for `--auto`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kseg.data.check import ClassCounts, Survey
from kseg.data.dataset import Dataset, SampleFiles
from kseg.training.propose.facts import Classes, Facts, Size
from kseg.training.propose.image_sizes import image_size, summarise_sizes
from kseg.training.propose.shapes import map_shapes, summarise_shapes

_MOST_MAPS, _FEWEST_MAPS = 32, 4
_MOST_PIXELS = 24e6
_GREY_TOLERANCE = 2.0
"""JPEG moves the channels of grey pictures apart by about one value."""


def inspect(dataset: Dataset, survey: Survey) -> Facts:
    """Return what the rules of `propose` need to know.

    Pixels of classes are counted in all training images (by `survey`, which remembers them), sizes
    are read from the headers of all, objects and colours are looked at in up to 32 of them, spread
    evenly over the list.

    Args:
        dataset: The data set.
        survey: Counts the pixels of its classes.

    Raises:
        ValueError: There is no training image, or a file is damaged.
    """
    files = list(dict.fromkeys(dataset.train))
    if not files:
        raise ValueError(f"{dataset.name}: there are no training images")
    counts = survey.count_classes(files)
    sizes = [image_size(dataset, one) for one in files]
    summary = summarise_sizes(sizes)
    samples = [dataset.load(one) for one in _spread(files, _sample_size(summary.median))]
    maps = [map_shapes(s.labels, dataset.num_classes, dataset.void) for s in samples]
    return Facts(
        name=dataset.name,
        train=len(dataset.train),
        val=len(dataset.val),
        test=len(dataset.test),
        channels=dataset.channels,
        grey=all(_is_grey(sample.image) for sample in samples),
        deep=any(sample.image.dtype != np.uint8 for sample in samples),
        sizes=summary,
        classes=_classes(dataset, counts, sizes),
        shapes=summarise_shapes(maps),
    )


def _sample_size(median: Size) -> int:
    fitting = int(_MOST_PIXELS / (median[0] * median[1]))
    return min(max(fitting, _FEWEST_MAPS), _MOST_MAPS)


def _spread(files: Sequence[SampleFiles], count: int) -> list[SampleFiles]:
    places = np.unique(np.linspace(0, len(files) - 1, min(count, len(files))).round().astype(int))
    return [files[place] for place in places]


def _classes(dataset: Dataset, counts: ClassCounts, sizes: Sequence[Size]) -> Classes:
    total = sum(height * width for height, width in sizes)
    pixels, image_pixels = (tuple(map(int, one)) for one in (counts.pixels, counts.image_pixels))
    return Classes(tuple(dataset.class_names), pixels, image_pixels, 1 - sum(pixels) / total)


def _is_grey(image: np.ndarray) -> bool:
    if image.shape[-1] == 1:
        return True
    if image.shape[-1] != 3:
        return False
    planes = image.astype(np.float32)
    return float(np.abs(planes - planes.mean(-1, keepdims=True)).mean()) <= _GREY_TOLERANCE
