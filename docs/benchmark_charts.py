"""Charts of docs/benchmarks.md: accuracy against parameters and against speed."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent), str(DOCS.parent / "benchmarks")]

from benchmark_tables import best_runs  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from result_files import read_rows  # noqa: E402

SCORES = {"camvid": "mean_iou", "parts": "foreground_iou"}
_FEWEST = 2
_AXES = {
    "parameters": "parameters",
    "gmacs": "GMACs",
    "predict_images_per_second": "images/s",
}


def picture(name: str) -> Path:
    """Return where the chart of a table is."""
    return DOCS / "images" / f"benchmarks_{name}.png"


def main() -> None:
    """Draw the tables that have rows."""
    for name, score in SCORES.items():
        rows = best_runs(read_rows(f"table_{name}.csv"))
        if len(rows) >= _FEWEST:
            draw(rows, score, picture(name))


def draw(rows: list[dict[str, str]], score: str, path: Path) -> None:
    """Write a chart with a part for each cost; reduced runs are hollow."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    parts = figure.subplots(1, len(_AXES), sharey=True)
    for axes, (column, title) in zip(parts, _AXES.items(), strict=True):
        scatter(axes, [row for row in rows if row[column]], column, score)
        axes.set_xscale("log")
        axes.set_xlabel(title)
    parts[0].set_ylabel(score.replace("_", " "))
    parts[0].set_title("hollow: reduced runs", fontsize="small", loc="left")
    # Without the version of matplotlib the file changes with the figures alone.
    figure.savefig(path, dpi=110, metadata={"Software": None})


def scatter(axes: Axes, rows: list[dict[str, str]], column: str, score: str) -> None:
    """Put a point and a name for each row; names in the right half stand left of theirs."""
    costs = [float(row[column]) for row in rows]
    middle = math.sqrt(min(costs, default=1) * max(costs, default=1))
    for row, x in zip(rows, costs, strict=True):
        y = float(row[score])
        face = "none" if row["reduced"] else "tab:blue"
        axes.scatter(x, y, s=28, facecolors=face, edgecolors="tab:blue")
        side: dict[str, Any] = {"xytext": (4, 3), "ha": "left"}
        if x > middle:
            side = {"xytext": (-4, 3), "ha": "right"}
        axes.annotate(row["row"], (x, y), textcoords="offset points", fontsize=6, **side)


if __name__ == "__main__":
    main()
