"""Data sets by name, each from an adapter that knows its folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kseg.data import camvid, drive, folders, isbi, parts_dataset
from kseg.data.dataset import Dataset

Adapter = Callable[[str, Path], Dataset]

_ADAPTERS: dict[str, Adapter] = {}

_PRIVATE = "bbufdataset"


def register_dataset(name: str, adapter: Adapter) -> None:
    """Register `adapter(name, folder) -> Dataset` for a data set's name.

    Raises:
        ValueError: The name is taken.
    """
    if name in _ADAPTERS:
        raise ValueError(f"the data set name {name!r} is registered already")
    _ADAPTERS[name] = adapter


def list_datasets() -> list[str]:
    """Return the names that have an adapter of their own."""
    return sorted(_ADAPTERS)


def open_dataset(name: str, data_root: str | Path = "data") -> Dataset:
    """List the files of a data set.

    Args:
        name: A name of `list_datasets()`, or the name of a folder in `data_root` with
            `train_image`, `train_label`, `test_image` and `test_label`.
        data_root: Folder that holds `name`, or the data set itself.

    Raises:
        ValueError: The data set is not there, or files of it do not fit together.
    """
    folder = _find(name, Path(data_root))
    if folders.is_folder_layout(folder) and name not in parts_dataset.NAMES:
        return folders.open_folders(name, folder)
    if name in _ADAPTERS:
        return _ADAPTERS[name](name, folder)
    raise ValueError(_missing(name, folder))


def _find(name: str, root: Path) -> Path:
    inside = root / name
    is_data_set = (root / "images").is_dir() or any(root.glob("train*"))
    return root if is_data_set and not inside.is_dir() else inside


def _missing(name: str, folder: Path) -> str:
    layout = "train_image, train_label, test_image and test_label"
    if name == _PRIVATE:
        return (
            f"the data set {name!r} was never published: put your copy at {folder} with "
            f"{layout}, or run on our stand-in with --dataset_name parts"
        )
    return (
        f"{folder}: there is no data set {name!r} here; make this folder with {layout}, "
        f"give its place with --data_root, or use one of {', '.join(list_datasets())}"
    )


for _name in parts_dataset.NAMES:
    register_dataset(_name, parts_dataset.open_parts)
register_dataset("camvid", camvid.open_camvid)
register_dataset("drive", drive.open_drive)
register_dataset("isbi", isbi.open_isbi)
