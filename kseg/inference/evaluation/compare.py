"""Two evaluations of the same images side by side."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kseg.inference.evaluation.bootstrap import interval, resampled_sums
from kseg.inference.evaluation.per_image import RANKED_BY
from kseg.inference.evaluation.ranking import Extremes

REPORT, SCORES = "report.json", "per_image.csv"
# Images that the comparison names, of those that gained and lost most.
_NAMED = 10
# What is not a setting, or that every run has of its own.
_NOT_COMPARED = ("exp_name", "train_save_path", "data_root")


@dataclass(frozen=True)
class Evaluated:
    """An evaluation on the disk.

    Attributes:
        folder: Where it is.
        report: The contents of its report.json.
    """

    folder: Path
    report: dict[str, Any]

    @property
    def name(self) -> str:
        """What to call it: the model, or the folder of the masks."""
        scored = self.report.get("scored", {})
        return str(scored.get("model") or scored.get("predictions") or self.folder)

    def scores(self) -> Iterator[tuple[str, float]]:
        """Yield the name and the score of each image that has one."""
        path = self.folder / SCORES
        if not path.is_file():
            return
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row.get(RANKED_BY):
                    yield row["image"], _number(row[RANKED_BY], path)


def read_evaluated(path: str | Path) -> Evaluated:
    """Read an evaluation: its folder, its report.json, or the run folder that it is in.

    Raises:
        ValueError: There is none.
    """
    path = Path(path)
    places = [path.parent] if path.name == REPORT else [path, path / "evaluation"]
    for folder in places:
        if (folder / REPORT).is_file():
            return Evaluated(folder, _read_json(folder / REPORT))
    raise ValueError(
        f"{path}: there is no {REPORT} to compare with; evaluate that run first, with the same "
        "split, or give the folder of its evaluation"
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: this is no readable report ({error})") from None
    if not _is_report(report):
        raise ValueError(f"{path}: this is no report of an evaluation")
    return report


def _is_report(report: object) -> bool:
    """Tell whether a JSON file has what a comparison reads, and not only its name."""
    if not isinstance(report, dict) or not isinstance(report.get("scored", {}), dict):
        return False
    rows = report.get("classes")
    return (
        isinstance(report.get("means"), dict)
        and isinstance(rows, list)
        and all(isinstance(row, dict) and {"name", "iou"} <= set(row) for row in rows)
    )


def _number(text: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{path}: {RANKED_BY} is {text!r}, expected a number") from None


def compare(this: Evaluated, other: Evaluated, *, resamples: int, seed: int) -> dict[str, Any]:
    """Return what distinguishes two evaluations; differences are this one minus the other one.

    Args:
        this: The new one.
        other: The one to compare with.
        resamples: Number of resamples of the images for the interval of the difference.
        seed: Seed of the resampling.
    """
    return {
        "names": [this.name, other.name],
        "warnings": _warnings(this.report, other.report),
        "means": _rows(this.report["means"], other.report["means"], this, other),
        "classes": _rows(_ious(this.report), _ious(other.report), this, other),
        "images": _image_differences(this, other, resamples, seed),
        "settings": _settings(this.report, other.report),
    }


def _ious(report: Mapping[str, Any]) -> dict[str, float | None]:
    return {row["name"]: row["iou"] for row in report["classes"]}


def _rows(
    ours: Mapping[str, float | None],
    theirs: Mapping[str, float | None],
    this: Evaluated,
    other: Evaluated,
) -> list[dict[str, Any]]:
    rows = []
    for name, value in ours.items():
        old = theirs.get(name)
        rows.append(
            {
                "name": name,
                "values": [value, old],
                "intervals": [_interval_of(one.report, name) for one in (this, other)],
                "difference": None if value is None or old is None else value - old,
            }
        )
    return rows


def _interval_of(report: Mapping[str, Any], name: str) -> list[float] | None:
    intervals = report.get("intervals") or {"means": {}, "iou": []}
    names = [row["name"] for row in report["classes"]]
    by_class = dict(zip(names, intervals["iou"], strict=False))
    return intervals["means"].get(name, by_class.get(name))


def _warnings(this: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what makes the scores hard to compare."""
    found = []
    if list(_ious(this)) != list(_ious(other)):
        found.append("The classes of the two differ.")
    ours, theirs = this.get("scored", {}), other.get("scored")
    if theirs is None:
        return [*found, "The other one does not say which images it scored; evaluate it again."]
    for key in ("dataset", "split", "images", "ignore_class"):
        here, there = ("none" if one.get(key) is None else one[key] for one in (ours, theirs))
        if here != there:
            found.append(f"{key}: {here} here, {there} there.")
    return found


def _settings(this: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings that both have and that are not the same."""
    ours, theirs = (_all_settings(report.get("scored", {})) for report in (this, other))
    return [
        {"name": name, "values": [value, theirs[name]]}
        for name, value in ours.items()
        if name in theirs and value != theirs[name] and name not in _NOT_COMPARED
    ]


def _all_settings(scored: Mapping[str, Any]) -> dict[str, Any]:
    return {**(scored.get("run_config") or {}), **(scored.get("options") or {})}


def _image_differences(
    this: Evaluated, other: Evaluated, resamples: int, seed: int
) -> dict[str, Any] | None:
    """Return how the scores of the images that both have differ, None without such images."""
    extremes: Extremes[tuple[str, float, float]] = Extremes(_NAMED)
    differences = []
    for name, ours, theirs in _common(this.scores(), other.scores()):
        differences.append(ours - theirs)
        extremes.offer(ours - theirs, (name, ours, theirs))
    if not differences:
        return None
    values = np.array(differences)
    bounds = None
    if resamples and values.size > 1:
        sums = resampled_sums(
            [values[:, None]], values.size, resamples, np.random.default_rng(seed)
        )
        bounds = interval(sums[:, 0] / values.size)
    return {
        "common": values.size,
        "better": int(np.sum(values > 0)),
        "worse": int(np.sum(values < 0)),
        "mean_difference": float(values.mean()),
        "interval": bounds,
        "gained": [item for gain, item in extremes.best() if gain > 0],
        "lost": [item for loss, item in extremes.worst() if loss < 0],
    }


def _common(
    ours: Iterable[tuple[str, float]], theirs: Iterable[tuple[str, float]]
) -> Iterator[tuple[str, float, float]]:
    known = dict(theirs)
    for name, score in ours:
        if name in known:
            yield name, score, known[name]
