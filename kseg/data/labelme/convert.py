"""A folder of labelme files to images and label maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kseg.data.dataset import VOID
from kseg.data.io import write_mask
from kseg.data.labelme.annotation import read_annotation
from kseg.data.labelme.class_map import CLASS_FILE, IGNORE, ClassMap, read_labels
from kseg.data.labelme.files import write_classes, write_description
from kseg.data.labelme.images import image_size
from kseg.data.labelme.layouts import (
    Layout,
    Target,
    layout_of,
    list_files,
    other_places,
    refuse_existing,
    refuse_others,
    refuse_sources,
    remove_moved,
    target_of,
    write_lists,
    write_picture,
)
from kseg.data.labelme.raster import rasterise
from kseg.data.labelme.splits import Split, list_json, list_parts
from kseg.data.labelme.survey import choose_classes, progress, survey
from kseg.palette import class_palette


@dataclass(frozen=True)
class Conversion:
    """What a conversion wrote.

    Attributes:
        classes: The class map.
        pixels: Pixels of each label, int64 `(256,)`.
        counts: Number of label maps of each part; one part "all" in a layout without parts.
    """

    classes: ClassMap
    pixels: np.ndarray
    counts: dict[str, int]

    def lines(self, ignore_class: int = VOID) -> list[str]:
        """Return what was written as text: label maps per part, share of pixels per class."""
        total = max(int(self.pixels.sum()), 1)
        names = dict(enumerate(self.classes.names))
        shares = [
            f"{label:4d} {names.get(label, IGNORE):20s} {self.pixels[label] / total:8.3%}"
            for label in {**names, ignore_class: IGNORE}
        ]
        parts = ", ".join(f"{count} {part}" for part, count in self.counts.items())
        return [f"label maps: {parts}", "label name                 pixels", *shares]


def convert_folder(
    folder: Path,
    output: Path,
    layout: str = "mask_png",
    *,
    labels: Path | None = None,
    images: Path | None = None,
    split: Split | None = None,
    ignore_class: int = VOID,
    copy_images: bool = True,
    overwrite: bool = False,
) -> Conversion:
    """Write a label map for each JSON file, the class names, and the images.

    Label maps are 8-bit palette PNG with the colours of PASCAL VOC. Label map and image are named
    after the JSON file. All JSON files and the sizes of their images are checked before anything
    is written. Images are copied byte for byte; those with an EXIF orientation or in CMYK are
    written as upright RGB PNG. The layout "voc" makes JPEG of quality 95 of all that is no JPEG.
    `classes.txt` and `dataset.yaml` tell the classes.

    Args:
        folder: Folder of the JSON files, or of `train`, `val` and `test` with them.
        output: Folder to write to.
        layout: "mask_png" (`image`, `mask_png`), "voc" (`JPEGImages`, `SegmentationClass`,
            `ImageSets/Segmentation`) or "folders" (`train_image`, `train_label`, ...).
        labels: File of the class names, see `choose_classes`.
        images: Folder of the images, see `image_file`.
        split: Shares of the parts, see `list_parts`.
        ignore_class: Label of `__ignore__`, 0..255.
        copy_images: Write the images too.
        overwrite: Replace files that are there; those of other parts, to which an earlier
            conversion wrote the same JSON files, are deleted.

    Raises:
        ValueError: A bad file, an unknown label, an `ignore_class` that is a class, or a file that
            would be overwritten, or with `overwrite` a label map that would stay; the message
            names file and shape.
    """
    plan = layout_of(layout)
    parts = _parts(folder, plan, split)
    found = survey(parts, images)
    classes = choose_classes(found, folder, labels)
    _check_ignored(classes, ignore_class)
    targets = [target_of(plan, output, part, path) for part in parts for path in parts[part]]
    moved = other_places(plan, output, targets) if overwrite else []
    sources = [path for pair in found.images.items() for path in pair if path]
    refuse_sources([*targets, *moved], sources)
    if overwrite:
        refuse_others(plan, output, targets)
    else:
        refuse_existing(targets, images=copy_images)
        _refuse_other_run(output, classes, list_files(plan, output, parts).values())
    remove_moved(moved, images=copy_images)
    write_classes(classes, output)
    write_description(classes, ignore_class, output)
    pixels = np.zeros(256, np.int64)
    for target in progress(targets, "writing label maps"):
        image = found.images[target.json]
        pixels += _write(plan, target, image, classes, ignore_class, copy_images)
    write_lists(plan, output, parts)
    return Conversion(classes, pixels, {part: len(files) for part, files in parts.items()})


def _parts(folder: Path, layout: Layout, split: Split | None) -> Mapping[str, Sequence[Path]]:
    has_subfolders = (folder / "train").is_dir()
    if layout.has_parts or has_subfolders:
        return list_parts(folder, split)
    return {"all": list_json(folder)}


def _check_ignored(classes: ClassMap, ignore_class: int) -> None:
    if 0 < ignore_class < len(classes.names):
        raise ValueError(
            f"the label {ignore_class} of __ignore__ is the class "
            f"{classes.names[ignore_class]!r}; use 255"
        )


def _refuse_other_run(output: Path, classes: ClassMap, lists: Iterable[Path]) -> None:
    """Keep label maps of two class maps, or lists of two splits, out of one folder."""
    there = output / CLASS_FILE
    if there.exists() and read_labels(there).names != classes.names:
        raise ValueError(
            f"{there}: the classes of this output folder differ from {classes.origin}; pass "
            "--labels with this file, or choose another output folder"
        )
    for path in lists:
        if path.exists():
            raise ValueError(
                f"{path}: this list is there already; choose another output folder, or pass "
                "--overwrite"
            )


def _write(
    layout: Layout,
    target: Target,
    image: Path | None,
    classes: ClassMap,
    ignore_class: int,
    copy_images: bool,
) -> np.ndarray:
    """Write label map and image of one JSON file and return its pixels per label."""
    annotation = read_annotation(target.json)
    size = image_size(annotation, image)
    labels = rasterise(annotation.shapes, size, lambda shape: classes.value(shape, ignore_class))
    if copy_images:
        write_picture(layout, target, annotation, image)
    write_mask(target.mask, labels, class_palette())
    return np.bincount(labels.ravel(), minlength=256)
