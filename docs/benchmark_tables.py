"""The tables of docs/benchmarks.md, from the files in benchmarks/results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby

from machine import is_cpu
from page_parts import markdown
from result_files import read_rows

from kseg.models import list_models, model_spec

Rows = list[dict[str, str]]

_COLUMNS = {
    "camvid": ("acc", "iou_score", "dice_score", "f1", "f2", "mean_iou"),
    "parts": ("acc", "iou_score", "dice_score", "f1", "f2", "foreground_iou"),
    "drive": (
        *("vessel_dice", "auc", "vessel_recall", "vessel_specificity"),
        *("vessel_dice_views", "auc_views"),
    ),
    "isbi": ("membrane_dice", "pixel_error", "v_rand"),
}
_TITLES = {
    "acc": "Acc",
    "mean_iou": "mIoU, 11 classes",
    "foreground_iou": "foreground IoU",
    "vessel_dice": "vessel Dice",
    "auc": "AUC",
    "vessel_recall": "sensitivity",
    "vessel_specificity": "specificity",
    "vessel_dice_views": "Dice, 8 views",
    "auc_views": "AUC, 8 views",
    "membrane_dice": "membrane Dice",
    "pixel_error": "pixel error",
    "v_rand": "V_rand",
}
_MAIN = {"camvid": "mean_iou", "parts": "foreground_iou", "drive": "vessel_dice"}
_NOTHING = "No run of this table is finished yet; see the command above."


def best_runs(rows: Rows) -> Rows:
    """Return a run of each row: the one that is not reduced, else the one with the most work."""

    def work(row: dict[str, str]) -> tuple[bool, int, str]:
        pixels = int(row["height"]) * int(row["width"])
        return not row["reduced"], int(row["epochs_run"]) * pixels, row["date"]

    best: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["row"] not in best or work(row) > work(best[row["row"]]):
            best[row["row"]] = row
    return list(best.values())


def trained_label(row: dict[str, str]) -> str:
    """Say what a row was trained with: epochs, size, device, and that it is less than the table's.

    Epochs after which nothing got better any more are not part of a run.
    """
    device = "CPU" if is_cpu(row["device"]) else row["device"]
    text = f"{row['epochs_run']} epochs, {row['height']}x{row['width']}, {device}"
    if row["encoder_weights"]:
        text += ", ImageNet"
    if row["settings"]:
        text += f", {row['settings']}"
    return f"reduced: {text}" if row["reduced"] else text


def usual_label(rows: Rows) -> str:
    """Return what most rows were trained with, nothing if no two are alike."""
    label, count = Counter(map(trained_label, rows)).most_common(1)[0]
    return label if count > 1 else ""


def result_table(name: str) -> str:
    """Return the table of a data set; nothing is in it that no run has given.

    What most rows were trained with stands above it, the column has what is different. A row whose
    best run differs is there with the usual one, too, to be compared with the others.
    """
    runs = read_rows(f"table_{name}.csv")
    if not runs:
        return _NOTHING
    best = best_runs(runs)
    usual = usual_label(best)
    rows = [row for row in runs if row in best or trained_label(row) == usual]
    main = _MAIN.get(name, "membrane_dice")
    rows.sort(key=lambda row: (bool(row["reduced"]), -float(row[main])))
    scores = _COLUMNS[name]
    labels = [trained_label(row) for row in rows]
    header = ["row", "trained", *(_TITLES.get(score, score) for score in scores)]
    header += ["parameters", "GMACs", "images/s"]
    cells = [
        [
            f"`{row['row']}`",
            "as above" if label == usual else label,
            *(f"{float(row[score]):.3f}" if row[score] else "-" for score in scores),
            f"{int(row['parameters']):,}",
            f"{float(row['gmacs']):.2f}",
            row["predict_images_per_second"] or "-",
        ]
        for row, label in zip(rows, labels, strict=True)
    ]
    table = markdown(header, cells, numbers=len(header) - 2)
    return f"Trained, where nothing else is said: {usual}.\n\n{table}" if usual else table


def missing_rows(name: str) -> str:
    """Say which models of the founding table have no full run yet."""
    full = {row["model"] for row in read_rows(f"table_{name}.csv") if not row["reduced"]}
    wanted = [one for one in list_models() if model_spec(one).founding_parameters]
    missing = [f"`{one}`" for one in wanted if one not in full]
    if not missing:
        return "All models of the founding table have a full run."
    return f"Still without a full run: {', '.join(missing)}."


def speed_table() -> str:
    """Return what each network did in turn with others, a table for each device and size."""
    rows = sorted((row for row in read_rows("model_speed.csv") if row["step_ms"]), key=_conditions)
    tables = [
        f"{conditions}:\n\n{_speeds(list(group))}"
        for conditions, group in groupby(rows, _conditions)
    ]
    return "\n\n".join(tables) or _NOTHING


def _conditions(row: dict[str, str]) -> str:
    size, shown = (f"{row[name]}x{row[name]}" for name in ("size", "predict_size"))
    batch = row["batch"]
    predicted = "and predicted" if size == shown else f"and {batch} of {shown} predicted"
    return f"{row['device']}, {batch} images of {size} trained {predicted}"


def _speeds(rows: Sequence[dict[str, str]]) -> str:
    header = ["model", "network", "parameters", "GMACs", "step (ms)", "images/s", "fit, images/s"]
    header += ["predict, images/s", "p50 (ms)", "p95 (ms)", "first step (s)", "memory (MB)"]
    names = ("gmacs", "step_ms", "train_images_per_second", "fit_images_per_second")
    names += ("predict_images_per_second", "latency_p50_ms", "latency_p95_ms")
    names += ("first_step_seconds", "peak_memory_mb")
    cells = [
        [
            _speed_name(row),
            row["network"],
            f"{int(row['parameters']):,}",
            *(row[name] or "-" for name in names),
        ]
        for row in rows
    ]
    return markdown(header, cells, numbers=len(header) - 2)


def _speed_name(row: dict[str, str]) -> str:
    return _model_name(row) + (", bfloat16" if row["precision"] == "mixed_bfloat16" else "")


def _model_name(row: dict[str, str]) -> str:
    return f"`{row['model']}`" + (f" on {row['encoder']}" if row["encoder"] else "")


def size_table() -> str:
    """Return time and memory by size and batch."""
    rows = [row for row in read_rows("size_cost.csv") if row["step_ms"]]
    rows.sort(key=lambda row: (row["task"], int(row["size"]), int(row["batch"])))
    header = ("model", "task", "backend", "device", "size", "batch", "step (ms)", "images/s", "MB")
    names = ("size", "batch", "step_ms", "images_per_second", "added_memory_mb")
    cells = [
        [
            _speed_name(row),
            row["task"],
            row["backend"],
            row["device"],
            *(row[name] for name in names),
        ]
        for row in rows
    ]
    return markdown(header, cells, numbers=5) if cells else _NOTHING


def settings_table() -> str:
    """Return the training step of a model by settings, on each device the quickest first."""
    rows = read_rows("step_settings.csv")
    rows.sort(
        key=lambda row: (row["device"], _model_name(row), int(row["size"]), float(row["times"]))
    )
    cells = [
        [
            _model_name(row),
            row["network"],
            f"{row['batch']} of {row['size']}x{row['size']}",
            row["versions"],
            row["device"],
            row["step_ms"],
            row["times"],
        ]
        for row in rows
    ]
    header = ("model", "network and settings", "images", "versions", "device", "step (ms)", "times")
    return markdown(header, cells, numbers=2) if cells else _NOTHING


def chart(name: str) -> str:
    """Show the chart of a table where there is one."""
    from benchmark_charts import picture

    path = picture(name)
    return f"![scores of {name} against cost](images/{path.name})" if path.is_file() else ""


TABLES: dict[str, Callable[..., str]] = {
    "table": result_table,
    "missing": missing_rows,
    "speed": speed_table,
    "sizes": size_table,
    "settings": settings_table,
    "chart": chart,
}


def columns_of(name: str) -> Sequence[str]:
    """Return the scores that the table of a data set shows."""
    return _COLUMNS[name]
