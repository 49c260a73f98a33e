"""The rows of the published tables: their settings, and what a run of less than that is called."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CONFIGS = Path(__file__).resolve().parents[1] / "examples" / "configs" / "tables"
# The command that trains the rows of a table; the cells of ISBI have scores of their own.
COMMANDS = {"camvid": "train", "parts": "train", "drive": "train", "isbi": "train_medical"}
KEY = ("row", "height", "width", "epochs", "settings")
_SMALLEST = 32


@dataclass(frozen=True)
class Row:
    """A row of a table, as it is to be trained now.

    Attributes:
        table: Name of the table.
        name: Name of the row.
        files: Settings of the table, then those of the row.
        settings: What these files say.
        changes: Settings of this run that differ from them.
    """

    table: str
    name: str
    files: tuple[Path, Path]
    settings: Mapping[str, Any]
    changes: Mapping[str, Any]

    @property
    def used(self) -> dict[str, Any]:
        """The settings of this run."""
        return {**self.settings, **self.changes}

    @property
    def is_reduced(self) -> bool:
        """Tell whether this run has fewer epochs or pixels than the table's own."""
        names = ("epochs", "input_height", "input_width")
        return any(self.used[name] < self.settings[name] for name in names)

    @property
    def label(self) -> dict[str, Any]:
        """The columns that say what the row was trained with."""
        used = self.used
        others = {k: v for k, v in self.changes.items() if k not in _NAMED}
        return {
            "row": self.name,
            "model": used["model_name"],
            "encoder": used.get("encoder", ""),
            "encoder_weights": Path(used.get("encoder_weights", "")).name,
            "loss": used["loss"],
            "height": used["input_height"],
            "width": used["input_width"],
            "epochs": used["epochs"],
            "batch": used["train_batch_size"],
            "settings": " ".join(f"{name}={value}" for name, value in sorted(others.items())),
            "reduced": "yes" if self.is_reduced else "",
        }

    def place(self, work: Path) -> Path:
        """Return the folder of the row: runs with other settings have another one."""
        label = self.label
        parts = [self.table, f"{label['height']}x{label['width']}", f"{label['epochs']}epochs"]
        if label["settings"]:
            parts.append(re.sub(r"[^\w.=-]+", "-", label["settings"]))
        return work / "_".join(parts) / self.name

    def run_path(self, work: Path) -> Path:
        """Return the run folder."""
        return self.place(work) / self.used["model_name"]

    def flags(self, work: Path) -> list[str]:
        """Return the flags of the command that trains it."""
        place = self.place(work)
        flags = {"train_save_path": place.parent, "exp_name": self.name, **self.changes}
        return [
            *(word for file in self.files for word in ("--config", str(file))),
            *(f"--{name}={value}" for name, value in flags.items()),
        ]


# Settings that have a column of their own, or say nothing about the result.
_NAMED = ("epochs", "input_height", "input_width", "encoder_weights", "data_root")


def rows_of(table: str, patterns: Sequence[str] | None, **changes: Any) -> list[Row]:
    """Return the rows of a table whose names match, in the order of the patterns.

    Args:
        table: "camvid", "parts", "drive" or "isbi".
        patterns: Names, `*` and `?` allowed; None for all rows.
        **changes: See `changes_of`.

    Raises:
        ValueError: There is no such table or row.
    """
    if table not in COMMANDS:
        raise ValueError(f"there is no table {table!r}; choose one of {', '.join(COMMANDS)}")
    base = CONFIGS / f"{table}.yaml"
    names = sorted(path.stem for path in (CONFIGS / table).glob("*.yaml"))
    chosen: dict[str, None] = {}
    for pattern in patterns or ["*"]:
        found = fnmatch.filter(names, pattern)
        if not found:
            raise ValueError(f"{table} has no row {pattern!r}; it has {', '.join(names)}")
        chosen |= dict.fromkeys(found)
    rows = []
    for name in chosen:
        files = base, CONFIGS / table / f"{name}.yaml"
        read = (yaml.safe_load(file.read_text("utf-8")) for file in files)
        settings = {key: value for part in read for key, value in part.items()}
        rows.append(Row(table, name, files, settings, changes_of(settings, **changes)))
    return rows


def changes_of(
    settings: Mapping[str, Any],
    *,
    epochs: int | None = None,
    scale: float = 1.0,
    data_root: Path | None = None,
    encoder_weights: Path | None = None,
    others: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a run is to have instead of the settings of its files.

    Args:
        settings: What the files say.
        epochs: Epochs, if others.
        scale: Share of height and width.
        data_root: Where the data are.
        encoder_weights: Folder of files such as `resnet50_notop.weights.h5`, for rows with an
            encoder.
        others: Any other settings.

    Raises:
        ValueError: The folder has no file of the encoder.
    """
    changes: dict[str, Any] = dict(others or {})
    if epochs is not None:
        changes["epochs"] = epochs
    if scale != 1:
        for name in ("input_height", "input_width"):
            changes[name] = max(_SMALLEST, round(settings[name] * scale))
    if data_root is not None:
        changes["data_root"] = data_root
    if encoder_weights is not None and "encoder" in settings:
        files = sorted(encoder_weights.glob(f"{settings['encoder']}[_.]*.h5"))
        if not files:
            raise ValueError(f"{encoder_weights}: no weights of {settings['encoder']} are here")
        changes["encoder_weights"] = files[0]
    return changes
