"""Scores and cost of one trained row of a table, as JSON; `run_table` calls it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli
from machine import describe, device_name

from kseg.cli import prepare_backend
from kseg.files import replacing

_SECONDS = 3.0
# What the table of the founding project calls its columns, and what they are called here.
_SCORES = {
    "acc": "pixel_accuracy",
    "iou_score": "iou_score",
    "dice_score": "dice_score",
    "f1": "f1_score",
    "f2": "f2_score",
    "mean_iou": "mean_iou",
}


def main(table: str, run: str, output: str, speed: bool = True) -> None:
    """Write the scores of a run on the test images, its size and its speed.

    Args:
        table: "camvid", "parts", "drive" or "isbi".
        run: Run folder.
        output: File to write.
        speed: Measure how fast it is; of no use while other rows are trained.
    """
    prepare_backend()
    folder = Path(run)
    # First of all: what is measured is a fresh process.
    found = {**cost(folder, speed=speed), **SCORES[table](folder), **trained(folder, speed=speed)}
    with replacing(Path(output)) as draft:
        draft.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def segmentation_scores(run: Path) -> dict[str, float]:
    """Return the scores of one confusion matrix over all test images, void left out."""
    import numpy as np

    from kseg.metrics.confusion import counts_of
    from kseg.metrics.scores import get_score

    report = json.loads((run / "evaluation" / "report.json").read_text("utf-8"))
    counts = counts_of(np.array(report["confusion"], np.float64), np)
    scores = {key: float(get_score(name).value(counts, np)) for key, name in _SCORES.items()}
    if len(report["classes"]) == 2:
        scores["foreground_iou"] = report["means"]["foreground_iou"]
    return {key: round(value, 4) for key, value in scores.items()}


def vessel_scores(run: Path) -> dict[str, float]:
    """Return Dice and area under the curve of the vessels; outside the field of view is void.

    Also those of the mean over the eight turns and mirror images.
    """
    (once, curves), (views, view_curves) = _vessels(run, "none"), _vessels(run, "d4")
    scores = {
        "vessel_dice": once["dice"],
        "vessel_recall": once["recall"],
        "vessel_specificity": once["specificity"],
        "auc": curves["auc"],
        "vessel_dice_views": views["dice"],
        "auc_views": view_curves["auc"],
    }
    return {name: round(score, 4) for name, score in scores.items()}


def _vessels(run: Path, tta: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return scores and areas under the curves of the class of vessels."""
    from kseg.config import EvaluateConfig
    from kseg.inference.evaluate import evaluate

    output = run / f"vessels_{tta}"
    options: dict[str, Any] = {"auc": True, "html": False, "bootstrap": 0, "calibration": False}
    evaluate(EvaluateConfig(model=str(run), output=str(output), batch_size=1, tta=tta, **options))
    report = json.loads((output / "report.json").read_text("utf-8"))
    (_, vessel), (_, curves) = report["classes"], report["auc"]["classes"]
    return vessel, curves


def membrane_scores(run: Path) -> dict[str, float]:
    """Return what `kseg train_medical` found on the slices held out."""
    cells = json.loads((run / "evaluation" / "cells.json").read_text("utf-8"))
    v_rand = cells["v_rand"] or {"f_score": 0.0}
    return {
        "membrane_dice": round(cells["dice"], 4),
        "pixel_error": round(cells["pixel_error"], 4),
        "v_rand": round(v_rand["f_score"], 4),
    }


SCORES = {
    "camvid": segmentation_scores,
    "parts": segmentation_scores,
    "drive": vessel_scores,
    "isbi": membrane_scores,
}


def cost(run: Path, *, speed: bool) -> dict[str, Any]:
    """Return parameters, multiply-adds and speed at the size of the training."""
    import numpy as np

    from kseg.inference.engines import KerasEngine
    from kseg.models.cost import count_macs

    engine = KerasEngine.load(run)
    size = (engine.info.input_height, engine.info.input_width)
    counted = {
        "parameters": engine.model.count_params(),
        "gmacs": round(count_macs(engine.model, size) / 1e9, 3),
    }
    if not speed:
        return {**counted, "predict_images_per_second": ""}
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 256, (4, *size, engine.channels), "uint8")
    engine.labels(batch)
    start, images = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < _SECONDS:
        engine.labels(batch)
        images += len(batch)
    return {**counted, "predict_images_per_second": round(images / taken, 2)}


def trained(run: Path, *, speed: bool) -> dict[str, Any]:
    """Return how long it was trained, and on what."""
    import keras

    from kseg.runs import RunFolder
    from kseg.training.summary import RunRecord

    record = RunRecord.read(RunFolder(run))
    environment = json.loads((run / "environment.json").read_text("utf-8"))
    backend = keras.backend.backend()
    machine = describe(backend, device_name(backend), ("keras", backend))
    return {
        "train_images_per_second": record.typical("images_per_second") if speed else "",
        "training_seconds": round(sum(row["seconds"] for row in record.rows)),
        "epochs_run": len(record.rows),
        "best_epoch": record.best["epoch"],
        **machine,
        "git_revision": (environment["git_revision"] or machine["git_revision"])[:12],
    }


if __name__ == "__main__":
    auto_cli(main)
