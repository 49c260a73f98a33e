"""The embedded data set `parts`, drawn on first use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.folders import is_folder_layout, open_folders

NAMES = ("parts", "parts_multiclass")


def open_parts(name: str, folder: Path) -> Dataset:
    """List `parts` (two classes) or `parts_multiclass`, and draw it if it is not there yet."""
    from kseg.data.parts import PART_NAMES, write_parts

    multiclass = name == "parts_multiclass"
    if not is_folder_layout(folder):
        print(f"drawing the data set {name!r} into {folder}")
        write_parts(folder, multiclass=multiclass)
    class_names = ("background", *PART_NAMES) if multiclass else ("background", "part")
    return replace(open_folders(name, folder), class_names=class_names)
