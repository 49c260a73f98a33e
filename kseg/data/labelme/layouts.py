"""Where a conversion puts images and label maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kseg.data.io import IMAGE_SUFFIXES, write_image
from kseg.data.labelme.annotation import Annotation
from kseg.data.labelme.files import write_bytes, write_lines
from kseg.data.labelme.images import copyable_bytes, load_image
from kseg.data.labelme.splits import PARTS
from kseg.data.labelme.strict_json import quote


@dataclass(frozen=True)
class Layout:
    """The folders of a layout; `{part}` stands for train, val or test.

    Attributes:
        images: Folder of the images.
        masks: Folder of the label maps.
        lists: Folder of the lists of names, one per part, or None.
        jpeg: Whether images must be JPEG.
    """

    images: str
    masks: str
    lists: str | None = None
    jpeg: bool = False

    @property
    def has_parts(self) -> bool:
        """Whether train, val and test are told apart."""
        return self.lists is not None or "{part}" in self.masks


LAYOUTS: Mapping[str, Layout] = {
    "mask_png": Layout("image", "mask_png"),
    "voc": Layout("JPEGImages", "SegmentationClass", "ImageSets/Segmentation", jpeg=True),
    "folders": Layout("{part}_image", "{part}_label"),
}


def layout_of(name: str) -> Layout:
    """Return a layout by its name.

    Raises:
        ValueError: An unknown name.
    """
    if name not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {quote(name)}")
    return LAYOUTS[name]


@dataclass(frozen=True)
class Target:
    """What is written for one JSON file.

    Attributes:
        json: The JSON file; its name without `.json` is the name of image and label map.
        image: The image to write, without extension.
        mask: The label map to write.
    """

    json: Path
    image: Path
    mask: Path


def target_of(layout: Layout, output: Path, part: str, json: Path) -> Target:
    """Return where image and label map of a JSON file go."""
    images, masks = (output / text.format(part=part) for text in (layout.images, layout.masks))
    return Target(json, images / json.stem, masks / f"{json.stem}.png")


def refuse_existing(targets: Sequence[Target], *, images: bool) -> None:
    """Raise ValueError where a label map, or with `images` an image, is there already."""
    stems: dict[Path, set[str]] = {}
    for target in targets:
        folder = target.image.parent
        if folder not in stems:
            stems[folder] = {path.stem for path in folder.glob("*")} if images else set()
        if target.mask.exists() or target.image.name in stems[folder]:
            raise ValueError(
                f"{target.mask}: this label map or its image is there already; choose another "
                "output folder, or pass --overwrite"
            )


def refuse_others(layout: Layout, output: Path, targets: Sequence[Target]) -> None:
    """Raise ValueError where the output holds a label map that is not written anew.

    It would stay with the images of a part, and may have been drawn by another list of classes.
    """
    stems = {target.json.stem for target in targets}
    for folder in sorted({output / layout.masks.format(part=part) for part in PARTS}):
        label_maps = sorted(folder.glob("[!.]*.png"))
        other = next((path for path in label_maps if path.stem not in stems), None)
        if other is not None:
            raise ValueError(
                f"{other}: this label map is of none of the JSON files that are converted; remove "
                "it and its image, or choose another output folder"
            )


def other_places(layout: Layout, output: Path, targets: Sequence[Target]) -> list[Target]:
    """Return where an earlier conversion may have put the same files: into other parts."""
    places = [
        [target_of(layout, output, part, target.json) for part in PARTS] for target in targets
    ]
    return list({place for row in places for place in row} - set(targets))


def remove_moved(places: Iterable[Target], *, images: bool) -> None:
    """Delete the label maps of an earlier conversion.

    Args:
        places: Where they may be.
        images: Delete the image beside each, too. One without label map is someone else's.
    """
    for place in places:
        if images and place.mask.is_file():
            for suffix in IMAGE_SUFFIXES:
                _with_suffix(place.image, suffix).unlink(missing_ok=True)
        place.mask.unlink(missing_ok=True)


def refuse_sources(targets: Sequence[Target], sources: Iterable[Path]) -> None:
    """Raise ValueError where a folder to write to is one that is read from."""
    read = {path.parent.resolve() for path in sources}
    for folder in {path.parent for target in targets for path in (target.image, target.mask)}:
        if folder.resolve() in read:
            raise ValueError(f"{folder}: this folder is read from; choose another output folder")


def write_picture(
    layout: Layout, target: Target, annotation: Annotation, file: Path | None
) -> None:
    """Write the image of an annotation: byte for byte where that is safe, else upright."""
    copied = copyable_bytes(annotation, file)
    if copied is not None and (copied[0] == ".jpg" or not layout.jpeg):
        path = _with_suffix(target.image, copied[0])
        write_bytes(path, copied[1])
    else:
        path = _with_suffix(target.image, ".jpg" if layout.jpeg else ".png")
        write_image(path, np.rint(load_image(annotation, file)).astype(np.uint8))
    for other in IMAGE_SUFFIXES:
        # One name with two images would be refused when the result is read.
        if other != path.suffix:
            _with_suffix(target.image, other).unlink(missing_ok=True)


def _with_suffix(path: Path, suffix: str) -> Path:
    # Not Path.with_suffix, which takes what follows the last dot of a stem for its suffix.
    return path.with_name(path.name + suffix)


def list_files(layout: Layout, output: Path, parts: Iterable[str]) -> dict[str, Path]:
    """Return the list of names of each part and of "trainval", none where there are no lists."""
    if layout.lists is None:
        return {}
    return {part: output / layout.lists / f"{part}.txt" for part in (*parts, "trainval")}


def write_lists(layout: Layout, output: Path, parts: Mapping[str, Sequence[Path]]) -> None:
    """Write the names of each part, and of train and val together, where the layout has lists."""
    for part, path in list_files(layout, output, parts).items():
        members = ("train", "val") if part == "trainval" else (part,)
        write_lines(path, sorted(json.stem for member in members for json in parts[member]))
