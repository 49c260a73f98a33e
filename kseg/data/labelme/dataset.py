"""A folder of labelme files as a data set, without converting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kseg.data.dataset import VOID, Dataset, Sample, SampleFiles
from kseg.data.labelme.annotation import Annotation, read_annotation
from kseg.data.labelme.class_map import CLASS_FILE, ClassMap
from kseg.data.labelme.files import write_classes
from kseg.data.labelme.images import check_size, image_size, load_image
from kseg.data.labelme.raster import rasterise
from kseg.data.labelme.splits import Split, json_files, keep_parts, list_parts
from kseg.data.labelme.strict_json import parse_json, read_bytes
from kseg.data.labelme.survey import Survey, choose_classes, survey


@dataclass(frozen=True)
class LabelmeDataset(Dataset):
    """A data set whose label files are labelme JSON; an embedded image has the JSON as its file.

    Attributes:
        class_map: From label names to class numbers.
    """

    class_map: ClassMap = field(default_factory=ClassMap)

    def load_mask(self, files: SampleFiles) -> np.ndarray:
        """Draw the label map `(H, W)` uint8 of a sample; `__ignore__` becomes `void`.

        Raises:
            ValueError: The JSON file, its image or a shape is bad.
        """
        annotation = _annotation(files)
        return self._draw(annotation, image_size(annotation, _image(files)))

    def load_image(self, files: SampleFiles) -> np.ndarray:
        """Decode the image `(H, W, channels)` of a sample.

        Raises:
            ValueError: The JSON file or its image is bad.
        """
        return load_image(_annotation(files), _image(files), self.channels)

    def load(self, files: SampleFiles) -> Sample:
        """Decode the image and draw the label map of a sample; the JSON file is read once.

        Raises:
            ValueError: The JSON file, its image or a shape is bad.
        """
        annotation = _annotation(files)
        image = load_image(annotation, _image(files), self.channels)
        height, width = image.shape[:2]
        check_size(annotation, _image(files), (height, width))
        return Sample(image, self._draw(annotation, (height, width)), files.name)

    def _draw(self, annotation: Annotation, size: tuple[int, int]) -> np.ndarray:
        return rasterise(
            annotation.shapes, size, lambda shape: self.class_map.value(shape, self.void)
        )


def _annotation(files: SampleFiles) -> Annotation:
    if files.mask is None:
        raise ValueError(f"{files.image}: this sample has no JSON file")
    return read_annotation(files.mask)


def _image(files: SampleFiles) -> Path | None:
    return None if files.image == files.mask else files.image


def is_labelme_folder(folder: Path) -> bool:
    """Tell whether the first JSON file of a folder, or of its part `train`, is labelme's."""
    for place in (folder / "train", folder):
        files = json_files(place) if place.is_dir() else []
        if files:
            return _is_annotation(files[0])
    return False


def _is_annotation(path: Path) -> bool:
    try:
        raw = parse_json(read_bytes(path), path)
    except ValueError:
        return False
    return isinstance(raw, dict) and isinstance(raw.get("shapes"), list)


def open_labelme(
    name: str,
    folder: Path,
    *,
    labels: Path | None = None,
    images: Path | None = None,
    split: Split | None = None,
) -> LabelmeDataset:
    """List the samples of a labelme folder.

    The parts are the subfolders `train`, `val` and `test`, or drawn by `split`, see `list_parts`.
    A missing part "val" is replaced by "test", and the other way round. Class names that come from
    the JSON files are written to `classes.txt` in the folder, so that they keep their numbers
    when files with new labels are added. Parts that are drawn are written to `parts.txt`, so that
    no file that was learnt from validates or tests later.

    Args:
        name: Name of the data set.
        folder: Its folder.
        labels: File of the class names; by default `labels.txt` or `classes.txt` in the
            folder, or all labels that occur, sorted.
        images: Folder of the images, where they are not beside the JSON files.
        split: Shares and seed; by default a tenth each for validation and test.

    Raises:
        ValueError: Files are missing or bad, or a label is no class; the message names file and
            shape.
    """
    parts = list_parts(folder, split)
    if not parts["val"] and not parts["test"]:
        raise ValueError(f"{folder}: there is nothing to validate with; add a folder val or test")
    found = survey(parts, images)
    classes = choose_classes(found, folder, labels)
    if labels is None:
        _keep_classes(classes, folder)
    _keep_parts(parts, split or Split(), folder)
    train, val, test = (_samples(parts[part], found) for part in ("train", "val", "test"))
    return LabelmeDataset(
        name=name,
        train=train,
        val=val or test,
        test=test or val,
        class_names=("background", *classes.names[1:]),
        ignore_class=VOID,
        class_map=classes,
    )


def _samples(files: Sequence[Path], found: Survey) -> list[SampleFiles]:
    return [SampleFiles(found.images[file] or file, file) for file in files]


def _keep_classes(classes: ClassMap, folder: Path) -> None:
    if any((folder / name).exists() for name in ("labels.txt", CLASS_FILE)):
        return
    try:
        print(f"wrote {write_classes(classes, folder)}: {len(classes.names)} classes")
    except OSError:
        # A folder that cannot be written to cannot get new labels either.
        return


def _keep_parts(parts: Mapping[str, Sequence[Path]], split: Split, folder: Path) -> None:
    if (folder / "train").is_dir():
        return
    try:
        path = keep_parts(parts, split, folder)
    except (OSError, UnicodeEncodeError):
        return
    if path is not None:
        counts = ", ".join(f"{len(files)} {part}" for part, files in parts.items())
        print(f"wrote {path}: {counts}")
