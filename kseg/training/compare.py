"""`kseg compare`: several runs side by side."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from kseg.config import CompareConfig
from kseg.files import replacing, replacing_text
from kseg.runs import RunFolder
from kseg.training.summary import RunRecord

# Settings that say where a run is, or that the table has a column of its own for.
_NOT_COMPARED = ("exp_name", "train_save_path", "model_name")
_MOST_RUNS_AS_COLUMNS = 5
_ANY_WIDTH = 100_000
_COLUMNS = {
    "run": "run",
    "model": "model",
    "parameters": "parameters",
    "epochs": "epochs",
    "best_epoch": "best",
    "val_iou_score": "val IoU",
    "test_mean_iou": "test IoU",
    "test_foreground_iou": "foreground",
    "test_mean_dice": "test Dice",
    "seconds_per_epoch": "s/epoch",
    "images_per_second": "images/s",
}


def compare(config: CompareConfig) -> list[dict[str, Any]]:
    """Print what distinguishes runs, write it if there is an `output`, and return the rows.

    Nothing in the run folders is changed.

    Raises:
        ValueError: A folder is no run and holds none, or the output would go into a run.
    """
    records = [RunRecord.read(run) for run in find_runs(config.runs)]
    output = Path(config.output) if config.output else None
    if output:
        _refuse_run_folders(output, records)
    names = run_names([record.run.path for record in records])
    rows = [run_row(name, record) for name, record in zip(names, records, strict=True)]
    settings = differing_settings(records)
    _print_whole(_score_table(rows))
    if settings:
        _print_whole(_settings_table(names, settings))
    if output:
        _write_csv(output / "compare.csv", rows, settings)
        draw_runs(output / "compare.png", names, records)
        print(f"wrote {output / 'compare.csv'} and {output / 'compare.png'}")
    return rows


def find_runs(paths: Sequence[str | Path]) -> list[RunFolder]:
    """Return the runs that paths stand for, each once: run folders, and folders with runs below.

    Raises:
        ValueError: There is no run at a path, or no path is given.
    """
    if not paths:
        raise ValueError("give at least one run folder such as weights/exp1/unet")
    found: dict[Path, RunFolder] = {}
    for path in map(Path, paths):
        folders = _run_folders(path)
        if not folders:
            raise ValueError(
                f"{path}: there is no run with a finished epoch here; give a run folder such as "
                "weights/exp1/unet, or a folder with runs below"
            )
        for folder in folders:
            found.setdefault(folder.resolve(), RunFolder(folder))
    return list(found.values())


def _run_folders(path: Path) -> list[Path]:
    files = (
        [path / "metrics.csv"] if (path / "metrics.csv").is_file() else path.rglob("metrics.csv")
    )
    return sorted(file.parent for file in files if RunFolder(file.parent).config.is_file())


def _refuse_run_folders(output: Path, records: Sequence[RunRecord]) -> None:
    places = (output.resolve(), *output.resolve().parents)
    for record in records:
        if record.run.path.resolve() in places:
            raise ValueError(
                f"--output {output} is in the run {record.run.path}; choose another folder"
            )


def run_names(paths: Sequence[Path]) -> list[str]:
    """Return short names for run folders: their paths without what all have in common."""
    absolute = [path.resolve() for path in paths]
    if len(absolute) == 1:
        return ["/".join(absolute[0].parts[-2:])]
    common = os.path.commonpath(absolute)
    return [str(path.relative_to(common)) for path in absolute]


def run_row(name: str, record: RunRecord) -> dict[str, Any]:
    """Return the numbers of a run; None is what the run does not have.

    Scores of the validation are those of the epoch that is kept as the best.
    """
    best, test = record.best, record.test
    return {
        "run": name,
        "model": record.settings["model_name"],
        "parameters": record.parameters,
        "epochs": record.rows[-1]["epoch"],
        "best_epoch": best["epoch"],
        "val_iou_score": best.get("val_iou_score"),
        "test_mean_iou": test.get("mean_iou"),
        "test_foreground_iou": test.get("foreground_iou"),
        "test_mean_dice": test.get("mean_dice"),
        "seconds_per_epoch": record.typical("seconds"),
        "images_per_second": record.typical("images_per_second"),
    }


def differing_settings(records: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs, with their value in each."""
    names = dict.fromkeys(name for record in records for name in record.settings)
    values = {name: [record.settings.get(name) for record in records] for name in names}
    return {
        name: column
        for name, column in values.items()
        if name not in _NOT_COMPARED and any(value != column[0] for value in column)
    }


def _print_whole(table: Table) -> None:
    """Print a table as wide as it is: numbers that are broken into lines cannot be read."""
    console = Console()
    options = console.options.update(max_width=_ANY_WIDTH)
    console.width = max(console.width, Measurement.get(console, options, table).maximum)
    console.print(table)


def _score_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table with a row per run, without the columns that no run has."""
    table = Table()
    shown = {
        key: title for key, title in _COLUMNS.items() if any(row[key] is not None for row in rows)
    }
    for key, title in shown.items():
        text = key in ("run", "model")
        table.add_column(title, justify="left" if text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(_text(row[key])) for key in shown))
    return table


def _settings_table(names: Sequence[str], settings: dict[str, list[Any]]) -> Table:
    """Return what differs; many runs are rows, few are columns."""
    rows = [["setting", *names], *([key, *values] for key, values in settings.items())]
    if len(names) > _MOST_RUNS_AS_COLUMNS:
        rows = [["run", *settings], *zip(names, *settings.values(), strict=True)]
    header, *body = [[escape(str(cell)) for cell in row] for row in rows]
    table = Table(*header, title="settings that differ")
    for row in body:
        table.add_row(*row)
    return table


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) <= 1 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _write_csv(path: Path, rows: Sequence[dict[str, Any]], settings: dict[str, list[Any]]) -> None:
    header = [*rows[0], *settings]
    cells = zip(*([row[key] for row in rows] for key in rows[0]), *settings.values(), strict=True)
    with replacing_text(path) as file:
        csv.writer(file).writerows([header, *cells])


def draw_runs(path: Path, names: Sequence[str], records: Sequence[RunRecord]) -> None:
    """Draw validation IoU and loss of all runs over the epochs into a PNG.

    Runs without a validation show those of the training, dashed.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    colours = colormaps["tab10" if len(names) <= 10 else "tab20"].colors
    figure = Figure((11, 4.5), layout="constrained")
    charts = zip(figure.subplots(1, 2), ("iou_score", "loss"), ("mean IoU", "loss"), strict=True)
    for axis, column, title in charts:
        for index, (name, record) in enumerate(zip(names, records, strict=True)):
            validated = f"val_{column}" in record.rows[-1]
            key, style = (f"val_{column}", "-") if validated else (column, "--")
            points = [(row["epoch"], row[key]) for row in record.rows if key in row]
            label = name if validated else f"{name} (training)"
            colour = colours[index % len(colours)]
            epochs, values = [point[0] for point in points], [point[1] for point in points]
            axis.plot(epochs, values, style, marker=".", color=colour, label=label)
        axis.set(title=f"{title} of the validation", xlabel="epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8
    )
    with replacing(path) as draft:
        figure.savefig(draft, dpi=110)
