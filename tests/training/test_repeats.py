"""Cross-validation and several seeds are the same run again, summed up."""

import csv
import json

import numpy as np
import pytest
import yaml

from kseg.config import TrainConfig
from kseg.config.repeats import is_repeated
from kseg.training.repeats import single_runs, summary_rows, train_repeatedly
from tests.training.cases import settings


def test_every_fold_and_every_seed_is_a_run_of_its_own():
    assert not is_repeated(TrainConfig())
    assert not is_repeated(TrainConfig(folds=3, fold=1))
    config = TrainConfig(exp_name="x", folds=3, seeds=2, seed=4)
    assert is_repeated(config)
    runs = single_runs(config)
    assert [run.exp_name for run in runs] == [
        f"x_fold{fold}_seed{seed}" for fold in range(3) for seed in (4, 5)
    ]
    assert [(run.fold, run.seed, run.seeds) for run in runs[:3]] == [
        (0, 4, 1),
        (0, 5, 1),
        (1, 4, 1),
    ]
    assert not any(is_repeated(run) for run in runs)
    names = [run.exp_name for run in single_runs(TrainConfig(exp_name="x", seeds=2))]
    assert names == ["x_seed0", "x_seed1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 2}, "--folds must be at least 3, or 0 for none"),
        ({"fold": 1}, "--fold needs --folds"),
        ({"folds": 3, "fold": 3}, "--fold must be below --folds 3"),
        ({"seeds": 0}, "--seeds must be at least 1"),
    ],
)
def test_impossible_repeats_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)


def test_resuming_one_of_many_is_refused():
    with pytest.raises(ValueError, match="with --folds or --seeds only `last` works"):
        single_runs(TrainConfig(folds=3, resume="weights/a/unet"))


def test_mean_and_deviation_are_those_of_the_sample():
    names = ("object_mean_iou", "mean_dice", "pixel_accuracy")
    rows = [{"mean_iou": value, **dict.fromkeys(names)} for value in (0.5, 0.7, 0.9)]
    mean, deviation = summary_rows(rows)
    assert mean["mean_iou"] == pytest.approx(0.7)
    assert deviation["mean_iou"] == pytest.approx(0.2)
    assert mean["mean_dice"] is deviation["mean_dice"] is None


def test_cross_validation_scores_each_image_once_and_is_resumed(parts_root, tmp_path, capsys):
    config = settings(parts_root, tmp_path, epochs=1, folds=3, exp_name="cv")
    path = train_repeatedly(config)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["cv_fold0", "cv_fold1", "cv_fold2", "mean", "deviation"]
    scores = [float(row["mean_iou"]) for row in rows[:3]]
    assert float(rows[3]["mean_iou"]) == pytest.approx(np.mean(scores))
    pixels = 0
    for fold in range(3):
        run = tmp_path / f"cv_fold{fold}" / "unet"
        pixels += np.sum(json.loads((run / "evaluation" / "report.json").read_text())["confusion"])
        assert yaml.safe_load((run / "config.yaml").read_text())["fold"] == fold
    assert pixels == 20 * 64 * 64
    resumed = single_runs(
        settings(parts_root, tmp_path, epochs=1, folds=3, exp_name="cv", resume="last")
    )
    assert [run.resume for run in resumed] == ["last"] * 3
