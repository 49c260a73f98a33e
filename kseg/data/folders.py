"""Plain folders: train_image, train_label, test_image, test_label and optionally val_*."""

from __future__ import annotations

from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.pairing import pair_folders


def is_folder_layout(folder: Path) -> bool:
    """Tell whether a folder looks like this layout."""
    return (folder / "train_image").is_dir()


def open_folders(name: str, folder: Path, num_classes: int = 2) -> Dataset:
    """List the samples; of `val_*` and `test_*` one may be missing and is the other then.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    held_out = [part for part in ("val", "test") if (folder / f"{part}_image").is_dir()]
    train, val, test = (
        pair_folders(folder / f"{part}_image", folder / f"{part}_label")
        for part in ("train", (held_out or ["test"])[0], (held_out or ["test"])[-1])
    )
    return Dataset(name, train, val, test, default_class_names(num_classes))


def default_class_names(num_classes: int) -> tuple[str, ...]:
    """Return background, foreground or background, class 1, class 2, ..."""
    if num_classes <= 2:
        return ("background", "foreground")[:num_classes]
    return ("background", *(f"class {index}" for index in range(1, num_classes)))
