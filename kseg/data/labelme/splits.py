"""Which JSON files are there, and which of them train, validate and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = ("train", "val", "test")
# What `kseg predict` may write beside labelme files.
_OTHER_FILE = "coco.json"


@dataclass(frozen=True)
class Split:
    """Shares of a folder that has no parts of its own.

    Attributes:
        val: Share of the files that validate, 0..1.
        test: Share of the files that test, 0..1.
        seed: Seed of the drawing.
    """

    val: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            ValueError: A negative share, or nothing left for training.
        """
        if not (self.val >= 0 and self.test >= 0 and self.val + self.test < 1):
            raise ValueError(
                "the shares of validation and test must be at least 0 and leave some for "
                f"training, got {self.val} and {self.test}"
            )


def json_files(folder: Path) -> list[Path]:
    """Return what may be labelme files in a folder, in the order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() == ".json" and path.name != _OTHER_FILE and path.name[0] != "."
    )


def list_json(folder: Path) -> list[Path]:
    """Return the JSON files of a folder, without those below it, in the order of their names.

    Raises:
        ValueError: No such folder, no JSON file in it, or two of one name up to the extension.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    files = json_files(folder)
    if not files:
        raise ValueError(f"{folder}: there is no JSON file in this folder")
    check_stems(files)
    return files


def check_stems(files: list[Path]) -> None:
    """Raise ValueError where two files would give label maps of the same name."""
    seen: dict[str, Path] = {}
    for path in files:
        # Some file systems take upper and lower case for the same.
        other = seen.setdefault(path.stem.casefold(), path)
        if other is not path:
            raise ValueError(f"{path}: {other} gives a label map of the same name; rename one")


def list_parts(folder: Path, split: Split | None = None) -> dict[str, list[Path]]:
    """Return the JSON files of the parts "train", "val" and "test", each in order of names.

    Subfolders `train`, `val` and `test` are the parts where `train` is there. Otherwise the files
    of the folder are dealt out at random by the shares of `split`, at least one to each part whose
    share is above 0.

    Raises:
        ValueError: A folder without JSON files, files of one name, or too few files to split.
    """
    if (folder / "train").is_dir():
        return _subfolders(folder)
    return _deal(list_json(folder), split or Split(), folder)


def _subfolders(folder: Path) -> dict[str, list[Path]]:
    if beside := json_files(folder):
        raise ValueError(
            f"{beside[0]}: this file lies beside the folder train and belongs to no part; move it "
            f"into {', '.join(PARTS[:-1])} or {PARTS[-1]}"
        )
    parts = {part: list_json(folder / part) if (folder / part).is_dir() else [] for part in PARTS}
    check_stems([path for files in parts.values() for path in files])
    return parts


def _deal(files: list[Path], split: Split, folder: Path) -> dict[str, list[Path]]:
    val, test = (
        max(1, round(share * len(files))) if share else 0 for share in (split.val, split.test)
    )
    if val + test >= len(files):
        raise ValueError(
            f"{folder}: {len(files)} JSON files are too few for parts of {val} to validate and "
            f"{test} to test; label more, or make the folders train and val yourself"
        )
    order = np.random.default_rng(split.seed).permutation(len(files))
    ends = [len(files) - val - test, len(files) - test]
    chosen = (sorted(files[index] for index in part) for part in np.split(order, ends))
    return dict(zip(PARTS, chosen, strict=True))
