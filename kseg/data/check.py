"""Looking at every file of a data set before the first training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from kseg.data.dataset import Dataset, Sample, SampleFiles

_SHOW_PROGRESS_FROM = 500


def check_dataset(dataset: Dataset, splits: Sequence[str], workers: int = 2) -> np.ndarray:
    """Decode every file once and return the pixels of each class, int64 `(num_classes,)`.

    Args:
        dataset: The data set.
        splits: The parts to look at; those of the same files are read once.
        workers: Threads.

    Raises:
        ValueError: The first file that is missing, damaged, of another size than its image, or
            holds a label that is no class; the message names the file and the values.
    """
    files = list(dict.fromkeys(f for split in splits for f in dataset.splits[split]))
    counts = np.zeros(dataset.num_classes, np.int64)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        checked = pool.map(lambda item: _count(dataset, item), files)
        for one in _with_progress(checked, len(files)):
            counts += one
    return counts


def _with_progress(items: Iterator[np.ndarray], total: int) -> Iterator[np.ndarray]:
    quick = total < _SHOW_PROGRESS_FROM
    return iter(tqdm(items, "checking files", total, unit="file", disable=quick))


def _count(dataset: Dataset, files: SampleFiles) -> np.ndarray:
    sample = dataset.load(files)
    check_labels(sample, files, dataset.num_classes, dataset.ignore_class)
    return np.bincount(sample.labels.ravel(), minlength=dataset.num_classes)[: dataset.num_classes]


def check_labels(
    sample: Sample, files: SampleFiles, num_classes: int, ignore_class: int | None
) -> None:
    """Raise ValueError where a label map holds values that are no class and not ignored."""
    values = np.unique(sample.labels)
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
            "; this looks like a 0/255 mask: write 1 instead of 255, or pass "
            "--ignore_class 255 if 255 marks pixels that do not count"
        )
    if values.max() == 255:
        return "; pass --ignore_class 255 if 255 marks pixels that do not count"
    return (
        f"; pass --n_classes {int(values.max()) + 1}, or --ignore_class if one marks pixels that "
        "do not count"
    )
