"""Reading of one COCO file: images, categories and annotations, checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kseg.data.coco_shapes import Shape
from kseg.data.dataset import VOID
from kseg.data.labelme.strict_json import parse_json, quote, read_bytes
from kseg.data.limits import check_pixels
from kseg.data.paths import existing_inside, is_file, path_inside


class Picture(NamedTuple):
    """One image.

    Attributes:
        size: Height and width.
        shapes: Its annotations.
    """

    size: tuple[int, int]
    shapes: list[Shape]


class CocoFile(NamedTuple):
    """What a file holds.

    Attributes:
        path: The file.
        class_names: Background and the categories in the order of their ids.
        pictures: The images in the order of the file.
    """

    path: Path
    class_names: tuple[str, ...]
    pictures: Mapping[Path, Picture]


def read_coco(path: Path, folder: Path, part: str) -> CocoFile:
    """Read a file and find its images.

    Args:
        path: The JSON file.
        folder: The data set's folder.
        part: "train", "val" or "test".

    Raises:
        ValueError: The JSON is damaged or no such file, an image is missing or outside the folder.
    """
    raw = parse_json(read_bytes(path), path)
    images, categories, annotations = (
        _objects(raw, key, path) for key in ("images", "categories", "annotations")
    )
    labels, names = _labels(categories, path)
    pictures = _pictures(images, _image_folder(images, path, folder, part), path)
    for index, annotation in enumerate(annotations):
        where = f"{path}: annotation {_shown_id(annotation, index)}"
        picture = pictures.get(_key(annotation, "image_id", where))
        label = labels.get(_key(annotation, "category_id", where))
        if picture is None or label is None:
            raise ValueError(f"{where}: its image_id or category_id is not in the file")
        crowd = annotation.get("iscrowd") == 1
        shape = Shape(label, crowd, annotation.get("segmentation"), where)
        picture[1].shapes.append(shape)
    return CocoFile(path, names, dict(pictures.values()))


def _objects(raw: Any, key: str, path: Path) -> list[dict[str, Any]]:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"{path}: this is no COCO file, it has no list {key!r}")
    if not value and key != "annotations":
        raise ValueError(f"{path}: the list {key!r} is empty")
    return value


def _shown_id(annotation: Mapping[str, Any], index: int) -> str:
    return quote(annotation.get("id", f"number {index}"))


def _key(one: Mapping[str, Any], key: str, where: str) -> int | str:
    value = one.get(key)
    if not isinstance(value, int | str):
        raise ValueError(f"{where}: {key} must be a number, not {quote(value)}")
    return value


def _labels(
    categories: list[dict[str, Any]], path: Path
) -> tuple[dict[int | str, int], tuple[str, ...]]:
    named = {_key(one, "id", f"{path}: category {i}"): one for i, one in enumerate(categories)}
    ids = sorted(named, key=lambda one: (isinstance(one, str), one))
    names = ["background"]
    labels = {}
    for one in ids:
        name = named[one].get("name")
        if not isinstance(name, str) or not name:
            raise ValueError(f"{path}: category {quote(one)} has no name")
        if name.lower() == "background":
            labels[one] = 0
            continue
        labels[one] = len(names)
        names.append(name)
    if len(named) < len(categories) or len(names) > VOID:
        raise ValueError(
            f"{path}: {len(categories)} categories; ids must differ, {VOID - 1} at most"
        )
    return labels, tuple(names)


def _image_folder(images: list[dict[str, Any]], path: Path, folder: Path, part: str) -> Path:
    """Return the first of the usual folders that holds the first image."""
    called = path.stem.removeprefix("instances_")
    places = [called, f"images/{called}", part, f"images/{part}", "images", "."]
    name = images[0].get("file_name")
    for place in (*(folder / place for place in places), path.parent):
        if isinstance(name, str) and is_file(path_inside(place, name, path)):
            return place
    raise ValueError(f"{path}: its image {quote(name)} is in none of the folders {places}")


def _pictures(
    images: list[dict[str, Any]], folder: Path, path: Path
) -> dict[int | str, tuple[Path, Picture]]:
    pictures = {}
    for index, one in enumerate(images):
        where = f"{path}: image {_shown_id(one, index)}"
        name = one.get("file_name")
        if not isinstance(name, str):
            raise ValueError(f"{where}: file_name must be text, not {quote(name)}")
        picture = existing_inside(folder, name, where), Picture(_size(one, where), [])
        pictures[_key(one, "id", where)] = picture
    if len({file for file, _ in pictures.values()}) < len(images):
        raise ValueError(f"{path}: an image id or a file name appears twice")
    return pictures


def _size(image: Mapping[str, Any], where: str) -> tuple[int, int]:
    size = image.get("height"), image.get("width")
    height, width = size
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise ValueError(f"{where}: height and width must be whole numbers, not {quote(size)}")
    check_pixels(height, width, where)
    return height, width
