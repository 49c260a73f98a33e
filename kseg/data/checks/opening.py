"""Opening a data set by its adapter, also where some of its files have to be left out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from kseg.data import parts_dataset
from kseg.data.checks.layouts import FolderPair, listed_id
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.folders import is_folder_layout
from kseg.data.paths import read_text, text_lines
from kseg.data.registry import open_dataset


def open_folder(folder: Path, name: str) -> Dataset:
    """List the files of a data set in `folder` by the adapter `name`, and never draw one.

    Raises:
        ValueError: The adapter finds no data set, or files of it do not fit together.
    """
    if name in parts_dataset.NAMES and not is_folder_layout(folder):
        raise ValueError(f"{folder}: there is no data set here, train_image is missing")
    return open_dataset(name, folder.parent if folder.name == name else folder)


def open_whole_samples(
    folder: Path, name: str, layout: Sequence[FolderPair], kept: Collection[tuple[str, str]]
) -> Dataset | None:
    """Let the adapter see the samples alone whose files fit together; None where it still fails.

    So labels are read as in training, whatever the adapter does to them.

    Args:
        folder: Folder of the data set.
        name: Name of the adapter.
        layout: Its folders.
        kept: Part and stem of the samples to leave in.
    """
    with tempfile.TemporaryDirectory() as temporary:
        view = Path(temporary).resolve() / folder.name
        try:
            _link_files(folder, view, Path.is_file)
            for pair in layout:
                for part in (pair.images, pair.labels, *pair.others):
                    _link_files(folder / part, view / part, partial(_is_kept, kept, pair.split))
                if pair.lists:
                    _shorten_lists(folder / pair.lists, view / pair.lists, {s for _, s in kept})
            return _moved(open_folder(view, name), view, folder)
        except (ValueError, OSError):
            return None


def _link_files(source: Path, target: Path, keep: Callable[[Path], bool]) -> None:
    if not source.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if keep(path):
            (target / path.name).symlink_to(path.absolute())


def _shorten_lists(source: Path, target: Path, stems: Collection[str]) -> None:
    target.mkdir(parents=True)
    for path in source.glob("*.txt"):
        lines = [line for _, line in text_lines(read_text(path)) if listed_id(line) in stems]
        (target / path.name).write_text("\n".join(lines), "utf-8")


def _is_kept(kept: Collection[tuple[str, str]], split: str, path: Path) -> bool:
    return (split, path.stem) in kept


def _moved(dataset: Dataset, view: Path, folder: Path) -> Dataset:
    """Return the data set with its files where they really are."""

    def move(value: Any) -> Any:
        return folder / value.relative_to(view) if isinstance(value, Path) else value

    def moved(files: SampleFiles) -> SampleFiles:
        return replace(files, **{f.name: move(getattr(files, f.name)) for f in fields(files)})

    train, val, test = ([moved(files) for files in part] for part in dataset.splits.values())
    return replace(dataset, train=train, val=val, test=test)
