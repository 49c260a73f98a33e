"""What a finished run says of itself, read from its folder."""

from __future__ import annotations

import io
import json
import shlex
import statistics
import zipfile
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import h5py
import yaml
from rich.console import Console
from rich.table import Table

from kseg.config import TrainConfig
from kseg.inference.model_file import ModelInfo, read_info
from kseg.runs import RunFolder
from kseg.training.callbacks.metrics_csv import read_metrics
from kseg.training.monitor import is_better

# What a row of metrics.csv holds beside losses and scores.
_NO_SCORES = ("epoch", "learning_rate", "seconds", "images_per_second")
_TEST_SCORES = {
    "mean_iou": "mean IoU",
    "foreground_iou": "foreground IoU",
    "mean_dice": "mean Dice",
}


@dataclass(frozen=True)
class RunRecord:
    """A run that finished at least one epoch.

    Attributes:
        run: Its folder.
        rows: What metrics.csv says of each epoch.
    """

    run: RunFolder
    rows: list[dict[str, float]]

    @classmethod
    def read(cls, run: RunFolder) -> RunRecord:
        """Read the folder of a run.

        Raises:
            ValueError: It is no run, or no epoch of it is finished.
        """
        if not run.config.is_file():
            raise ValueError(
                f"{run.path}: this is no run, there is no {run.config.name}; give a run folder "
                "such as weights/exp1/unet"
            )
        try:
            rows = read_metrics(run.metrics)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{run.metrics}: this is no table of epochs ({error})") from None
        if not rows:
            raise ValueError(f"{run.path}: no epoch of this run is finished yet")
        return cls(run, rows)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings, with the defaults of those that were not there when the run was made."""
        try:
            stored = yaml.safe_load(self.run.config.read_text("utf-8"))
        except yaml.YAMLError as error:
            raise ValueError(f"{self.run.config}: this is no YAML ({error})") from None
        return {**asdict(TrainConfig()), **(stored or {})}

    @cached_property
    def kept(self) -> ModelInfo | None:
        """What `best.keras` says of itself, None without it."""
        return read_info(self.run.best) if self.run.best.is_file() else None

    @property
    def monitor(self) -> str:
        """Name of what decided which epoch is best."""
        if self.kept:
            return self.kept.monitor
        validated = "val_iou_score" in self.rows[-1]
        return self.settings["monitor"] or ("val_iou_score" if validated else "iou_score")

    @cached_property
    def best(self) -> dict[str, float]:
        """The row of the epoch that `best.keras` holds; without that file, of the best one."""
        if self.kept:
            epoch = self.kept.best_epoch
            return next((row for row in self.rows if row["epoch"] == epoch), {"epoch": epoch})
        name, best = self.monitor, self.rows[0]
        for row in self.rows[1:]:
            if name in row and is_better(name, row[name], best.get(name)):
                best = row
        return best

    @cached_property
    def test(self) -> dict[str, float]:
        """The means of the evaluation's report, empty before there is one."""
        report = self.run.evaluation / "report.json"
        if not report.is_file():
            return {}
        try:
            means = json.loads(report.read_text("utf-8"))["means"]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{report}: this is no report of an evaluation ({error})") from None
        return {name: value for name, value in means.items() if value is not None}

    @cached_property
    def parameters(self) -> int | None:
        """Number of weights of the model, None without a checkpoint."""
        for checkpoint in (self.run.best, self.run.last):
            if checkpoint.is_file():
                # No model is built, and the optimizer's numbers are left out.
                with zipfile.ZipFile(checkpoint) as archive:
                    weights = io.BytesIO(archive.read("model.weights.h5"))
                with h5py.File(weights) as file:
                    return sum(_size(file[name]) for name in file if name != "optimizer")
        return None

    def typical(self, name: str) -> float | None:
        """Return the median of a column over the epochs, None without it.

        A median, since the first epoch compiles and others may have waited for something else.
        """
        values = [row[name] for row in self.rows if name in row]
        return round(statistics.median(values), 3) if values else None


def _size(group: h5py.Group) -> int:
    sizes = []
    group.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    return sum(sizes)


def print_summary(run: RunFolder, console: Console | None = None) -> None:
    """Print the scores of the best and the last epoch, times, and where the files are.

    Raises:
        ValueError: It is no run, or no epoch of it is finished.
    """
    record = RunRecord.read(run)
    console = console or Console()
    console.print(_score_table(record))
    facts = {**_facts(record), **_files(run)}
    width = max(map(len, facts)) + 2
    for name, text in facts.items():
        # A path that is broken into lines cannot be copied.
        line = f"{name:<{width}}{text}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _score_table(record: RunRecord) -> Table:
    """Return a row per loss and score: training and validation, at the best and the last epoch."""
    last = record.rows[-1]
    names = dict.fromkeys(name.removeprefix("val_") for name in last if name not in _NO_SCORES)
    validated = any(name.startswith("val_") for name in last)
    parts = {"training": "", "validation": "val_"} if validated else {"training": ""}
    table = Table("", title=f"best by {record.monitor}")
    columns = []
    for title, row in (("best", record.best), ("last", last)):
        for part, prefix in parts.items():
            table.add_column(f"{title} ({row['epoch']})\n{part}", justify="right")
            columns.append((row, prefix))
    for name in names:
        values = (row.get(prefix + name) for row, prefix in columns)
        table.add_row(name, *("-" if value is None else f"{value:.4f}" for value in values))
    return table


def _facts(record: RunRecord) -> dict[str, str]:
    facts = {"epochs": str(record.rows[-1]["epoch"])}
    if record.parameters is not None:
        facts["parameters"] = f"{record.parameters:,}"
    seconds, speed = record.typical("seconds"), record.typical("images_per_second")
    if seconds is not None:
        total = sum(row.get("seconds", 0) for row in record.rows)
        facts["time"] = f"{seconds:.1f} s per epoch, {duration(total)} in all"
    if speed is not None:
        facts["training speed"] = f"{speed:.1f} images/s"
    shown = [
        f"{text} {record.test[name]:.4f}"
        for name, text in _TEST_SCORES.items()
        if name in record.test
    ]
    return {**facts, "test": ", ".join(shown)} if shown else facts


def _files(run: RunFolder) -> dict[str, str]:
    files = {
        "best model": run.best,
        "curves": run.curves,
        "pictures": run.evaluation / "contact_sheet.png",
        "test scores": run.evaluation / "report.json",
    }
    found = {name: str(path) for name, path in files.items() if path.is_file()}
    if run.log.is_dir():
        found["charts"] = f"tensorboard --logdir {shlex.quote(str(run.log))}"
    return {"run folder": str(run.path), **found}


def duration(seconds: float) -> str:
    """Write a time as 43 s, 5 min 12 s or 3 h 20 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
