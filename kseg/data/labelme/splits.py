"""Which JSON files are there, and which of them train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kseg.data.labelme.files import write_lines
from kseg.data.paths import read_text

PARTS = ("train", "val", "test")
# What `kseg predict` may write beside labelme files.
_OTHER_FILE = "coco.json"
PART_FILE = "parts.txt"


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
    share is above 0. Those that `parts.txt` names stay in their parts, see `keep_parts`.

    Raises:
        ValueError: A folder without JSON files, files of one name, too few files to split, or a
            `parts.txt` that cannot be followed.
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
    kept = _kept_parts(folder, split)
    parts = {part: [path for path in files if kept.get(path.name) == part] for part in PARTS}
    order = np.random.default_rng(split.seed).permutation(len(files))
    new = [files[index] for index in order[::-1] if files[index].name not in kept]
    for part, wanted in (("test", test), ("val", val)):
        missing = max(wanted - len(parts[part]), 0)
        parts[part] += new[:missing]
        new = new[missing:]
    parts["train"] += new
    _check_filled(parts, {"train": 1, "val": val, "test": test}, folder)
    return {part: sorted(members) for part, members in parts.items()}


def _check_filled(
    parts: Mapping[str, Sequence[Path]], wanted: Mapping[str, int], folder: Path
) -> None:
    empty = next((part for part in PARTS if wanted[part] and not parts[part]), None)
    if empty is not None:
        raise ValueError(
            f"{folder / PART_FILE}: no file is left for the part {empty}; delete this list to deal "
            "out all files anew"
        )


def keep_parts(parts: Mapping[str, Sequence[Path]], split: Split, folder: Path) -> Path | None:
    """Write `parts.txt`, so that files stay in their parts when others are added.

    A list of other shares or another seed is left as it is, and so are its lines for files that
    are gone.

    Args:
        parts: The JSON files of each part.
        split: What they were dealt out by.
        folder: Their folder.

    Returns:
        The list, or None where it says all that already.
    """
    path, kept = folder / PART_FILE, _kept_parts(folder, split)
    now = {file.name: part for part in PARTS for file in parts[part] if "\n" not in file.name}
    if now.items() <= kept.items() or (path.exists() and not kept):
        return None
    lines = [f"{part}\t{name}" for name, part in sorted({**kept, **now}.items())]
    write_lines(path, [_title(split), *lines])
    return path


def _kept_parts(folder: Path, split: Split) -> dict[str, str]:
    """Return the part of each file in the list; none where that is of another split."""
    path = folder / PART_FILE
    title, *lines = read_text(path).replace("\r\n", "\n").split("\n") if path.is_file() else [""]
    if title != _title(split):
        return {}
    kept: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        part, _, name = line.partition("\t")
        if part not in PARTS or not name:
            raise ValueError(
                f"{path}: line {number}: there must be train, val or test, a tab and the name of a "
                f"file, not {line!r:.60}"
            )
        kept[name] = part
    return kept


def _title(split: Split) -> str:
    return f"# val {split.val}, test {split.test}, seed {split.seed}"
