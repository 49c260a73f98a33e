"""Writing what a conversion gives, each file in one step."""

from __future__ import annotations

from pathlib import Path

import yaml

from kseg.data.description import FILE_NAME
from kseg.data.labelme.class_map import CLASS_FILE, ClassMap
from kseg.files import replacing


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file in one step."""
    with replacing(path) as draft:
        draft.write_bytes(data)


def write_lines(path: Path, lines: list[str]) -> None:
    """Write UTF-8 text, one line each."""
    write_bytes(path, "".join(f"{line}\n" for line in lines).encode())


def write_classes(classes: ClassMap, folder: Path) -> Path:
    """Write the class names, in the order of their numbers, as `read_labels` reads them."""
    path = folder / CLASS_FILE
    write_lines(path, list(classes.names))
    return path


def write_description(classes: ClassMap, ignore_class: int, folder: Path) -> None:
    """Write `dataset.yaml`, which tells classes and ignored label to who reads the folder."""
    text = yaml.safe_dump(
        {"class_names": list(classes.names), "ignore_class": ignore_class},
        allow_unicode=True,
        sort_keys=False,
    )
    write_bytes(folder / FILE_NAME, text.encode())
