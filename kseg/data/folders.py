"""Plain folders: train_image, train_label, test_image, test_label and optionally val_*."""

from __future__ import annotations

from pathlib import Path

from kseg.data.dataset import Dataset
from kseg.data.pairing import pair_folders


def is_folder_layout(folder: Path) -> bool:
    """Tell whether a folder looks like this layout."""
    return (folder / "train_image").is_dir()


def open_folders(name: str, folder: Path, num_classes: int = 2) -> Dataset:
    """List the samples; the test images choose the checkpoint where there is no `val_image`.

    Raises:
        ValueError: A folder is missing, or files have no partner.
    """
    test = pair_folders(folder / "test_image", folder / "test_label")
    has_val = (folder / "val_image").is_dir()
    return Dataset(
        name=name,
        train=pair_folders(folder / "train_image", folder / "train_label"),
        val=pair_folders(folder / "val_image", folder / "val_label") if has_val else test,
        test=test,
        class_names=default_class_names(num_classes),
    )


def default_class_names(num_classes: int) -> tuple[str, ...]:
    """Return background, foreground or background, class 1, class 2, ..."""
    if num_classes <= 2:
        return ("background", "foreground")[:num_classes]
    return ("background", *(f"class {index}" for index in range(1, num_classes)))
