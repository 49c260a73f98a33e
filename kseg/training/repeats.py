"""Cross-validation and several seeds: the same run again and again, and what they say together."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from kseg.config import TrainConfig
from kseg.config.repeats import repeats
from kseg.files import replacing_text
from kseg.runs import RunFolder
from kseg.training.trainer import train

FILE = "repeats.csv"
_SCORES = ("mean_iou", "object_mean_iou", "mean_dice", "pixel_accuracy")


def single_runs(config: TrainConfig) -> list[TrainConfig]:
    """Return the settings of each run; `_fold0` and `_seed0` at the end of its name tell which.

    With `--resume last` those that have begun are resumed and the others started.

    Raises:
        ValueError: `--resume` names one run.
    """
    if config.resume not in ("", "last"):
        raise ValueError(f"--resume {config.resume}: with --folds or --seeds only `last` works")
    runs = [replace(config, **each, seeds=1, resume="") for each in repeats(config)]
    if not config.resume:
        return runs
    return [
        replace(one, resume="last") if RunFolder(one.run_path).last.is_file() else one
        for one in runs
    ]


def train_repeatedly(config: TrainConfig) -> Path:
    """Train all runs, print their scores with mean and deviation, and write them to a CSV file.

    Returns:
        TRAIN_SAVE_PATH/EXP_NAME/repeats.csv.
    """
    rows = []
    for number, one in enumerate(runs := single_runs(config), 1):
        print(f"run {number} of {len(runs)}: {one.exp_name}")
        run = train(one)
        means = json.loads((run.evaluation / "report.json").read_text("utf-8"))["means"]
        rows.append({"run": one.exp_name, **{name: means[name] for name in _SCORES}})
        keras.utils.clear_session()
    rows += summary_rows(rows)
    path = Path(config.train_save_path) / config.exp_name / FILE
    with replacing_text(path) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    _show(rows)
    print(f"scores of all runs: {path}")
    return path


def summary_rows(rows: Sequence[dict]) -> list[dict]:
    """Return mean and standard deviation (of the sample, n - 1) over the runs that have a score."""
    found: dict[str, dict] = {"mean": {"run": "mean"}, "deviation": {"run": "deviation"}}
    for name in _SCORES:
        values = np.array([row[name] for row in rows if row[name] is not None], float)
        found["mean"][name] = float(values.mean()) if len(values) else None
        found["deviation"][name] = float(values.std(ddof=1)) if len(values) > 1 else None
    return list(found.values())


def _show(rows: Sequence[dict]) -> None:
    table = Table("run", *_SCORES)
    for row in rows:
        scores = ("" if row[name] is None else f"{row[name]:.4f}" for name in _SCORES)
        table.add_row(row["run"], *scores)
    Console().print(table)
