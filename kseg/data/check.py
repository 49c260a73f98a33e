"""Looking at every file of a data set before the first training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from kseg.data.count_cache import CountCache
from kseg.data.dataset import VOID, Dataset, SampleFiles
from kseg.data.label_counts import LabelCount, count_labels

_SHOW_PROGRESS_FROM = 500

WRITE_ONE = "write 1 instead of 255, or put `values: {0: 0, 255: 1}` into dataset.yaml"
"""What to do about label maps of 0 and 255."""


@dataclass(frozen=True)
class ClassCounts:
    """How much several label maps show of each class.

    Attributes:
        pixels: Pixels of the class, int64 `(num_classes,)`.
        image_pixels: Pixels of any class in the images that show the class, int64
            `(num_classes,)`.
    """

    pixels: np.ndarray
    image_pixels: np.ndarray


class Survey:
    """What the samples of a data set show; each file is decoded once.

    Files are looked at in their own size, not the one they are resized to for training. What was
    seen is kept beside the data (`CountCache`), so that files which have not changed are not
    decoded again next time.

    Args:
        dataset: The data set.
        workers: Threads.
        cache: Use and write the file of earlier counts.
    """

    def __init__(self, dataset: Dataset, workers: int = 2, *, cache: bool = True):
        self.dataset = dataset
        self.workers = max(workers, 1)
        self._kept = CountCache(dataset, cache)
        self._seen: dict[SampleFiles, LabelCount] = {}

    def count_classes(self, files: Sequence[SampleFiles]) -> ClassCounts:
        """Count the pixels of each class, ignored ones left out; files listed twice count once.

        Raises:
            ValueError: The first file that is missing, damaged, of another size than its image, or
                holds a label that is no class; the message names the file and the values. Or all
                label maps, the training ones among them, are 0/255 masks, and 255 is ignored.
        """
        dataset = self.dataset
        pixels, image_pixels = np.zeros((2, dataset.num_classes), np.int64)
        for item, count in self._counted(files):
            check_values(count.values, item, dataset.num_classes, dataset.ignore_class)
            one = class_pixels(count, dataset)
            pixels += one
            image_pixels += np.where(one > 0, one.sum(), 0)
        if set(files) >= set(dataset.train) and not pixels[1:].any():
            self._refuse_white(files)
        return ClassCounts(pixels, image_pixels)

    def _refuse_white(self, files: Sequence[SampleFiles]) -> None:
        """Refuse label maps of 0 alone of which 255, which is ignored, must be the object."""
        dataset = self.dataset
        if not is_white_ignored(dataset):
            return
        for item in files:
            if item.valid is None and VOID in self._seen[item].values:
                raise ValueError(
                    f"{item.mask}: no training label map shows a class but 0, and 255 is ignored; "
                    f"this looks like a 0/255 mask: {WRITE_ONE}"
                )

    def shared_images(self) -> list[tuple[SampleFiles, SampleFiles]]:
        """Return training samples whose image is a held-out one too, each with the latter.

        Images are compared by their decoded pixels, so that a copy saved in another lossless format
        counts; scores on such images say nothing about new ones.
        """
        dataset = self.dataset
        held_out = {c.digest: item for item, c in self._counted([*dataset.val, *dataset.test])}
        training = self._counted(dataset.train)
        return [(item, held_out[c.digest]) for item, c in training if c.digest in held_out]

    def _counted(self, files: Sequence[SampleFiles]) -> Iterator[tuple[SampleFiles, LabelCount]]:
        """Yield each sample with what it shows, and keep that even where a later file is bad."""
        files = list(dict.fromkeys(files))
        try:
            with ThreadPoolExecutor(self.workers) as pool:
                counted = pool.map(self._count, files)
                yield from zip(files, _with_progress(counted, len(files)), strict=True)
        finally:
            self._kept.save()

    def _count(self, files: SampleFiles) -> LabelCount:
        count = self._seen.get(files) or self._kept.get(files)
        if count is None:
            count = count_labels(self.dataset.load(files))
            self._kept.put(files, count)
        self._seen[files] = count
        return count


def is_white_ignored(dataset: Dataset) -> bool:
    """Tell whether 255 is ignored where it stands in the files, as the white of 0/255 masks does.

    In data sets that draw or compute their labels it is ignored on purpose.
    """
    from_files = type(dataset) is Dataset and dataset.relabel is None
    return from_files and dataset.ignore_class == VOID and dataset.num_classes > 1


def class_pixels(count: LabelCount, dataset: Dataset) -> np.ndarray:
    """Return the pixels of each class, int64 `(num_classes,)`; labels that are none left out."""
    counts = (count.values >= 0) & (count.values < dataset.num_classes)
    counts &= count.values != dataset.void
    pixels = np.zeros(dataset.num_classes, np.int64)
    pixels[count.values[counts]] = count.pixels[counts]
    return pixels


def _with_progress(items: Iterator[LabelCount], total: int) -> Iterator[LabelCount]:
    quick = total < _SHOW_PROGRESS_FROM
    # The delay keeps the bar away where all is known already.
    return iter(tqdm(items, "checking files", total, unit="file", disable=quick, delay=0.5))


def check_values(
    values: np.ndarray, files: SampleFiles, num_classes: int, ignore_class: int | None
) -> None:
    """Refuse a label map with values that are no class.

    Args:
        values: Its values, each once.
        files: The sample, for the message.
        num_classes: Number of classes.
        ignore_class: A further value that is allowed, or None.

    Raises:
        ValueError: With the values and what to do about them.
    """
    wrong = [int(v) for v in values if not 0 <= v < num_classes and v != ignore_class]
    if not wrong:
        return
    listed = ", ".join(str(v) for v in wrong[:8]) + (", ..." if len(wrong) > 8 else "")
    raise ValueError(
        f"{files.mask}: label values {listed} are not in 0..{num_classes - 1}"
        f"{_advice(values, num_classes)}"
    )


def _advice(values: np.ndarray, num_classes: int) -> str:
    if set(values.tolist()) <= {0, 255}:
        return (
            f"; this looks like a 0/255 mask: {WRITE_ONE}; or pass "
            "--ignore_class 255 if 255 marks pixels that do not count"
        )
    if values.max() == 255:
        return "; pass --ignore_class 255 if 255 marks pixels that do not count"
    return (
        f"; pass --n_classes {int(values.max()) + 1}, or --ignore_class if one marks pixels that "
        "do not count"
    )
