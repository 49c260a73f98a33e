"""Writing what a conversion gives, each file in one step."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from kseg.data.description import FILE_NAME
from kseg.data.labelme.class_map import CLASS_FILE, ClassMap


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file to a temporary name and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
