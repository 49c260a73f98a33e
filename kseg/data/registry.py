"""Data sets by name or by the look of their folder, each from an adapter that knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kseg.data import (
    blocks,
    camvid,
    coco,
    drive,
    folders,
    helen,
    isbi,
    labelme,
    lists,
    parts_dataset,
    voc,
)
from kseg.data.dataset import Dataset
from kseg.data.description import described

Adapter = Callable[[str, Path], Dataset]

_ADAPTERS: dict[str, Adapter] = {}
_PLACES: dict[str, Sequence[str]] = {}

# How data of any name may lie in a folder; the first that fits is taken.
_LAYOUTS: Sequence[tuple[Callable[[Path], bool], Adapter]] = (
    (folders.is_folder_layout, folders.open_folders),
    (voc.is_voc_layout, voc.open_voc),
    (coco.is_coco_layout, coco.open_coco),
    (lists.is_list_layout, lists.open_lists),
    (labelme.is_labelme_folder, labelme.open_labelme),
)


def register_dataset(name: str, adapter: Adapter, places: Sequence[str] = ()) -> None:
    """Register `adapter(name, folder) -> Dataset` for a data set's name.

    Args:
        name: The name, in lower case.
        adapter: What lists its files.
        places: Folders in the data root where it may be, besides the one of its name.

    Raises:
        ValueError: The name is taken.
    """
    if name in _ADAPTERS:
        raise ValueError(f"the data set name {name!r} is registered already")
    _ADAPTERS[name] = adapter
    _PLACES[name] = places


def list_datasets() -> list[str]:
    """Return the names that have an adapter of their own."""
    return sorted(_ADAPTERS)


def open_dataset(name: str, data_root: str | Path = "data") -> Dataset:
    """List the files of a data set.

    Its folder may describe it: class names, colours and more in `dataset.yaml`, or a table of
    classes, see `kseg.data.description`.

    Args:
        name: A name of `list_datasets()`, or the name of a folder in `data_root` with
            `train_image`, `train_label`, `test_image` and `test_label`, VOC's or COCO's layout,
            lists of files (`train.txt` or `train.csv`), or labelme's JSON files.
        data_root: Folder that holds `name`, or the data set itself.

    Raises:
        ValueError: The data set is not there, or files of it do not fit together.
    """
    folder = _find(name, Path(data_root))
    adapter = _adapter(name.lower(), folder)
    if adapter is None:
        raise ValueError(_missing(name, folder))
    return described(adapter(name, folder), folder)


def _adapter(name: str, folder: Path) -> Adapter | None:
    if name in _MAKE_THEMSELVES:
        return _ADAPTERS[name]
    if not folder.is_dir():
        return None
    if folders.is_folder_layout(folder) and name not in _PLAIN_FOLDERS:
        return folders.open_folders
    if name in _ADAPTERS:
        return _ADAPTERS[name]
    return next((adapter for fits, adapter in _LAYOUTS if fits(folder)), None)


def _find(name: str, root: Path) -> Path:
    for place in (name, *_PLACES.get(name.lower(), ())):
        if (root / place).is_dir():
            return root / place
    return root if _is_data_set(root) else root / name


def _is_data_set(root: Path) -> bool:
    """Tell whether a folder is a data set itself, and not one of data sets."""
    return any(next(root.glob(mark), None) is not None for mark in _MARKS)


def _missing(name: str, folder: Path) -> str:
    layout = "train_image, train_label, test_image and test_label"
    if name == _PRIVATE:
        return (
            f"the data set {name!r} was never published: put your copy at {folder} with "
            f"{layout}, or run on our stand-in with --dataset_name parts"
        )
    return (
        f"{folder}: there is no data set {name!r} here; make this folder with {layout} (or in "
        "the layout of VOC, COCO or labelme, or with lists of files), give its place with "
        f"--data_root, {_fetch(name)}or use one of {', '.join(list_datasets())}"
    )


def _fetch(name: str) -> str:
    from kseg.data.download import SOURCES

    return f"fetch it by `kseg download_data {name}`, " if name in SOURCES else ""


_PRIVATE = "bbufdataset"
_MAKE_THEMSELVES = parts_dataset.NAMES
# Their adapters know plain folders; other known data sets in plain folders were brought there.
_PLAIN_FOLDERS = ("helen_small",)
_MARKS = ("train*", "images", "annotations", "JPEGImages", "*.json", "dataset.yaml")

for _name in parts_dataset.NAMES:
    register_dataset(_name, parts_dataset.open_parts)
register_dataset("camvid", camvid.open_camvid, ("CamVid",))
register_dataset("coco", coco.open_coco, ("COCO", "coco2017"))
register_dataset("digital_rock", blocks.open_digital_rock)
register_dataset("drive", drive.open_drive, ("DRIVE",))
register_dataset("dsb2018", blocks.open_dsb2018)
register_dataset("helen_small", helen.open_helen)
register_dataset("isbi", isbi.open_isbi, ("isbi2012",))
register_dataset("voc", voc.open_voc, voc.places("2012", "2007"))
register_dataset("voc2007", voc.open_voc, voc.places("2007"))
register_dataset("voc2012", voc.open_voc, voc.places("2012"))
