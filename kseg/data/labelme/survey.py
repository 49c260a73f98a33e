"""One look at every file of a folder before any is used: nothing bad is found halfway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from kseg.data.labelme.annotation import Annotation, read_annotation
from kseg.data.labelme.class_map import CLASS_FILE, ClassMap, class_map_of, read_labels
from kseg.data.labelme.images import image_file, image_size
from kseg.data.labelme.shapes import Shape, check_fits

_SHOW_PROGRESS_FROM = 100
_LABEL_FILES = ("labels.txt", CLASS_FILE)

Item = TypeVar("Item")


@dataclass
class Survey:
    """What a look at all files found.

    Attributes:
        images: Image file of each JSON file, None where it is embedded.
        first_shapes: The first shape of each label.
    """

    images: dict[Path, Path | None] = field(default_factory=dict)
    first_shapes: dict[str, Shape] = field(default_factory=dict)

    def add(self, annotation: Annotation, image: Path | None) -> None:
        """Take up one checked annotation."""
        self.images[annotation.path] = image
        for shape in annotation.shapes:
            self.first_shapes.setdefault(shape.label, shape)


def survey(parts: Mapping[str, Sequence[Path]], images: Path | None = None) -> Survey:
    """Check every JSON file, the size of its image and the place of its shapes.

    Args:
        parts: The JSON files.
        images: Folder of the images, see `image_file`.

    Raises:
        ValueError: The first bad file, or two files of one image.
    """
    found, owners = Survey(), dict[Path, Path]()
    for path in progress(sorted(chain(*parts.values())), "reading JSON"):
        annotation = read_annotation(path)
        image = image_file(annotation, images)
        size = image_size(annotation, image)
        for shape in annotation.shapes:
            check_fits(shape, size)
        other = path if image is None else owners.setdefault(image, path)
        if other is not path:
            raise ValueError(f"{path}: {other} names the same image, {image}; remove one")
        found.add(annotation, image)
    return found


def progress(items: Sequence[Item], title: str) -> Iterator[Item]:
    """Go through items, with a progress bar where they are many."""
    return iter(tqdm(items, title, unit="file", disable=len(items) < _SHOW_PROGRESS_FROM))


def choose_classes(found: Survey, folder: Path, labels: Path | None = None) -> ClassMap:
    """Return the one class map of a folder.

    It comes from `labels`, else from `labels.txt` or `classes.txt` in the folder, else from
    all labels that occur, sorted.

    Raises:
        ValueError: The file of the classes is bad, or a shape has a label that is not in it.
    """
    file = labels or _first_file(folder / name for name in _LABEL_FILES)
    if file is None:
        return class_map_of(found.first_shapes, f"the labels of {folder}")
    classes = read_labels(file)
    classes.check(found.first_shapes.values())
    return classes


def _first_file(paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)
