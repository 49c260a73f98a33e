"""Charts of docs/benchmarks.md: accuracy against parameters and against speed."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent), str(DOCS.parent / "benchmarks")]

from adjustText import adjust_text  # noqa: E402
from benchmark_tables import best_runs  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from result_files import read_rows  # noqa: E402

SCORES = {"camvid": "mean_iou", "parts": "foreground_iou"}
_FEWEST = 2
_ROUNDS = 500
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
    shown = {column: [row for row in rows if row[column]] for column in _AXES}
    for axes, (column, title) in zip(parts, _AXES.items(), strict=True):
        scatter(axes, shown[column], column, score)
        axes.set_xscale("log")
        axes.margins(0.15, 0.08)
        axes.set_xlabel(title)
    parts[0].set_ylabel(score.replace("_", " "))
    parts[0].set_title("hollow: reduced runs", fontsize="small", loc="left")
    # Names are placed in pixels, so when the layout is final.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, column in zip(parts, _AXES, strict=True):
        name_points(axes, shown[column], column, score)
    # Without the version of matplotlib the file changes with the figures alone.
    figure.savefig(path, dpi=110, metadata={"Software": None})


def scatter(axes: Axes, rows: list[dict[str, str]], column: str, score: str) -> None:
    """Put a point and a name for each row."""
    for row in rows:
        face = "none" if row["reduced"] else "tab:blue"
        point = (float(row[column]), float(row[score]))
        axes.scatter(*point, s=28, facecolors=face, edgecolors="tab:blue")


def name_points(axes: Axes, rows: list[dict[str, str]], column: str, score: str) -> None:
    """Write the name of each row near its point, where it covers no other name or point."""
    xs = [float(row[column]) for row in rows]
    ys = [float(row[score]) for row in rows]
    names = [
        axes.text(x, y, row["row"], fontsize=6) for x, y, row in zip(xs, ys, rows, strict=True)
    ]
    # A limit of rounds, not of seconds: the same rows give the same picture.
    adjust_text(
        names,
        xs,
        ys,
        ax=axes,
        expand=(1.1, 1.8),
        iter_lim=_ROUNDS,
        arrowprops={"arrowstyle": "-", "lw": 0.4},
    )


if __name__ == "__main__":
    main()
