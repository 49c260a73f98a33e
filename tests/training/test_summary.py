"""The summary of a finished run."""

import csv
import json

import keras
import numpy as np
import pytest
import yaml
from keras import layers
from rich.console import Console

from kseg.inference.model_file import ModelInfo, save_model
from kseg.runs import RunFolder
from kseg.training.summary import RunRecord, duration, print_summary


def make_run(folder, rows, test=None, **settings):
    """A run folder with a row of metrics.csv per epoch, and no checkpoint."""
    run = RunFolder(folder)
    run.log.mkdir(parents=True)
    run.config.write_text(yaml.safe_dump({"model_name": "unet", **settings}))
    with run.metrics.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", *rows[0]])
        writer.writeheader()
        writer.writerows({"epoch": n, **row} for n, row in enumerate(rows, 1))
    if test:
        run.evaluation.mkdir()
        (run.evaluation / "report.json").write_text(json.dumps({"means": test}))
    return run


def rows_of(*scores, **others):
    return [
        {"loss": 1 - s, "iou_score": s + 0.05, "val_loss": 1.1 - s, "val_iou_score": s, **others}
        for s in scores
    ]


def keep_model(run, epoch, monitor="val_iou_score"):
    """Put a trained model into a run; return how many parameters it has."""
    x = keras.Input((8, 8, 3))
    y = layers.Dropout(0.5)(layers.BatchNormalization()(layers.Conv2D(4, 3)(x)))
    model = keras.Model(x, keras.Sequential([layers.Conv2D(2, 1)])(y))
    model.compile("adam", "mse", jit_compile=False)
    model.train_on_batch(np.zeros((1, 8, 8, 3)), np.zeros((1, 6, 6, 2)))
    info = ModelInfo("unet", ("a", "b"), None, 8, 8, 1, "divide", 3, 0.9, epoch, monitor=monitor)
    save_model(model, run.best, info)
    return model.count_params()


@pytest.fixture
def run(tmp_path):
    rows = rows_of(0.5, 0.8125, 0.7, seconds=2.5, learning_rate=0.01, images_per_second=31.25)
    return make_run(tmp_path / "weights" / "exp1" / "unet", rows, {"mean_iou": 0.75, "mcc": None})


def printed(run, width=100):
    console = Console(width=width, record=True)
    print_summary(run, console)
    return console.export_text()


def test_it_shows_the_best_and_the_last_epoch_speed_size_and_files(run):
    parameters = keep_model(run, epoch=2)
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    text = printed(run)
    assert "best by val_iou_score" in text
    assert "best (2)" in text
    (row,) = (line.split("│") for line in text.splitlines() if "iou_score" in line and "│" in line)
    assert [cell.strip() for cell in row[2:6]] == ["0.8625", "0.8125", "0.7500", "0.7000"]
    for line in (
        "epochs          3",
        f"parameters      {parameters}",
        "time            2.5 s per epoch, 8 s in all",
        "training speed  31.2 images/s",
        "test            mean IoU 0.7500",
        f"best model      {run.best}",
        f"charts          tensorboard --logdir {run.log}",
    ):
        assert line in text
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_the_command_for_the_charts_can_be_copied_where_paths_have_spaces(tmp_path):
    run = make_run(tmp_path / "my runs" / "unet", rows_of(0.5))
    assert f"tensorboard --logdir '{run.log}'" in printed(run)


def test_paths_stay_whole_in_a_narrow_terminal(run):
    assert f"run folder      {run.path}\n" in printed(run, width=30)


def test_the_kept_model_says_which_epoch_is_best(run):
    keep_model(run, epoch=3, monitor="val_dice_score")
    record = RunRecord.read(run)
    assert (record.monitor, record.best["epoch"]) == ("val_dice_score", 3)


@pytest.mark.parametrize(
    ("monitor", "expected", "epoch"),
    [("", "val_iou_score", 2), ("val_loss", "val_loss", 2), ("learning_rate", "learning_rate", 1)],
)
def test_without_a_model_the_metrics_say_it(run, monitor, expected, epoch):
    run.config.write_text(yaml.safe_dump({"monitor": monitor}))
    record = RunRecord.read(run)
    assert (record.monitor, record.best["epoch"], record.parameters) == (expected, epoch, None)


def test_a_run_without_validation_and_without_anything_else_is_shown(tmp_path):
    run = make_run(tmp_path / "run", [{"loss": 0.5, "iou_score": 0.25}])
    text = printed(run)
    assert "best by iou_score" in text
    assert "validation" not in text.split("epochs")[0]
    assert "time" not in text


def test_settings_that_a_run_does_not_know_have_their_defaults(run):
    run.config.write_text("epochs: 7\n")
    settings = RunRecord.read(run).settings
    assert (settings["epochs"], settings["loss"]) == (7, "ce")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.yaml", None, "this is no run, there is no config.yaml; give a run folder"),
        ("config.yaml", "a: [", "config.yaml: this is no YAML"),
        ("metrics.csv", None, "no epoch of this run is finished yet"),
        ("metrics.csv", "epoch,loss\n1,low\n", "metrics.csv: this is no table of epochs"),
        ("metrics.csv", "a,b\n1,2\n", "metrics.csv: this is no table of epochs"),
        ("evaluation/report.json", "{}", "report.json: this is no report of an evaluation"),
    ],
)
def test_a_broken_run_gets_one_sentence(run, file, content, message):
    path = run.path / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ValueError, match=message):
        printed(run)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (43, "43 s"), (312, "5 min 12 s"), (3599.7, "1 h 0 min"), (12000, "3 h 20 min")],
)
def test_times_are_written_for_people(seconds, text):
    assert duration(seconds) == text
