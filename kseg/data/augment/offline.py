"""Writing augmented copies of a folder of images and label maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from kseg.data.augment.augmentor import DEFAULT_OPERATIONS, Augmented, make_steps, run_steps
from kseg.data.dataset import VOID, Dataset, Sample, SampleFiles
from kseg.data.io import write_image, write_mask
from kseg.data.pairing import pair_folders
from kseg.palette import class_palette


class Folders(NamedTuple):
    """Where images and label maps are, or go to."""

    images: Path
    masks: Path


def augment_folders(
    source: Folders,
    target: Folders,
    *,
    number: int = 5,
    seed: int = 0,
    operations: Mapping[str, Mapping[str, Any]] | None = None,
    ignore_class: int | None = None,
    image_format: Literal["png", "jpg"] = "png",
    overwrite: bool = False,
) -> int:
    """Write `number` augmented copies of each image and its label map, by Augmentor.

    Those of `stem.*` are `stem_aug1.png`, `stem_aug2.png`, ... in both folders, label maps as
    palette PNG. A copy depends on the seed, the place of its source in the order of the names,
    and its number.

    Args:
        source: Images and label maps, paired by their stems.
        target: Folders to write to.
        number: Copies of each.
        seed: Seed, at least 0.
        operations: Operations in their order, with the parameters of Augmentor's methods; by
            default `DEFAULT_OPERATIONS`.
        ignore_class: Label where the source has no pixels, as after a rotation without cropping;
            by default 255.
        image_format: Format of the images; "jpg" is lossy.
        overwrite: Replace files that are there.

    Returns:
        The number of pairs written.

    Raises:
        ValueError: Files without partner, broken, or of another kind; a wrong operation; files
            that would be overwritten; or no label for pixels without source.
    """
    _check_folders(source, target)
    steps, pairs = make_steps(operations or DEFAULT_OPERATIONS), pair_folders(*source)
    outputs = [
        [_outputs(target, f"{files.name}_aug{k}", image_format) for k in range(1, number + 1)]
        for files in pairs
    ]
    if not overwrite:
        _check_new([path for group in outputs for output in group for path in output])
    dataset = Dataset("augmentation", pairs, (), (), ())
    for index, files in enumerate(tqdm(pairs, "augmenting", unit="image")):
        sample = _load(dataset, files)
        for k, output in enumerate(outputs[index]):
            result = run_steps(steps, sample.image, sample.labels, (seed, index, k))
            labels = _with_void(result, sample.labels, files, ignore_class)
            write_image(output.images, result.image)
            write_mask(output.masks, labels, class_palette())
    return number * len(pairs)


def _outputs(target: Folders, name: str, image_format: str) -> Folders:
    return Folders(target.images / f"{name}.{image_format}", target.masks / f"{name}.png")


def _check_folders(source: Folders, target: Folders) -> None:
    resolved = [path.resolve() for path in (*source, *target)]
    if len(set(resolved)) < len(resolved):
        raise ValueError(
            "images, label maps and their augmented copies need four different folders, got "
            + ", ".join(str(path) for path in (*source, *target))
        )


def _check_new(outputs: Sequence[Path]) -> None:
    there = [path for path in outputs if path.exists()]
    if there:
        raise ValueError(
            f"{there[0]} is there already ({len(there)} of {len(outputs)} files are); "
            "choose another folder, or replace them with --overwrite"
        )


def _load(dataset: Dataset, files: SampleFiles) -> Sample:
    sample = dataset.load(files)
    if sample.image.dtype != np.uint8 or sample.image.shape[2] != 3:
        raise ValueError(
            f"{files.image}: Augmentor works on 8-bit images only; use --augment in training"
        )
    if sample.labels.min() < 0 or sample.labels.max() > 255:
        raise ValueError(f"{files.mask}: labels must be in 0..255 to be written as 8-bit PNG")
    return sample


def _with_void(
    result: Augmented, source: np.ndarray, files: SampleFiles, ignore_class: int | None
) -> np.ndarray:
    """Return the labels with the one of ignored pixels where the source has none."""
    if result.known.all():
        return result.labels
    if ignore_class is None and set(np.unique(source)) == {0, 255}:
        raise ValueError(
            f"{files.mask}: 255 is a class here, so say with --ignore_class which label pixels "
            "get that no image covers"
        )
    void = VOID if ignore_class is None else ignore_class
    return np.where(result.known, result.labels, void).astype(np.uint8)
