"""Several runs side by side."""

import csv

import cv2
import pytest

from kseg.cli import main
from kseg.config import CompareConfig, UsageError
from kseg.training.compare import compare
from tests.training.test_summary import make_run, rows_of


@pytest.fixture
def weights(tmp_path):
    """Two experiments with three runs, and one that got nowhere."""
    folder = tmp_path / "weights"
    test = {"mean_iou": 0.625, "foreground_iou": 0.5, "mean_dice": 0.75}
    plain = {"epochs": 2, "loss": "ce"}
    make_run(folder / "exp1" / "unet", rows_of(0.5, 0.25, seconds=4), test, **plain)
    make_run(folder / "exp1" / "enet", rows_of(0.5), model_name="enet", **plain)
    make_run(
        folder / "exp2" / "unet", [{"loss": 1.0, "iou_score": 0.5}], **{**plain, "loss": "dice"}
    )
    (folder / "exp3" / "unet").mkdir(parents=True)
    (folder / "exp3" / "unet" / "config.yaml").write_text("epochs: 2\n")
    return folder


def rows(*paths, output=None):
    return compare(CompareConfig([str(path) for path in paths], output))


def test_a_folder_stands_for_the_runs_below_and_each_counts_once(weights, monkeypatch):
    names = ["exp1/enet", "exp1/unet", "exp2/unet"]
    assert [row["run"] for row in rows(weights)] == names
    monkeypatch.chdir(weights)
    assert [row["run"] for row in rows("exp1", weights, "exp2/unet")] == names
    assert [row["run"] for row in rows("exp1")] == ["enet", "unet"]
    assert [row["run"] for row in rows("exp1/unet")] == ["exp1/unet"]


def test_a_run_has_its_best_validation_and_its_test_scores(weights):
    (row,) = rows(weights / "exp1" / "unet")
    assert row == {
        "run": "exp1/unet",
        "model": "unet",
        "parameters": None,
        "epochs": 2,
        "best_epoch": 1,
        "val_iou_score": 0.5,
        "test_mean_iou": 0.625,
        "test_foreground_iou": 0.5,
        "test_mean_dice": 0.75,
        "seconds_per_epoch": 4,
        "images_per_second": None,
    }


def test_the_settings_that_differ_are_shown_and_the_others_not(weights, capsys):
    rows(weights)
    printed = capsys.readouterr().out
    assert "settings that differ" in printed
    assert [line.split() for line in printed.splitlines() if "│ loss" in line] == [
        ["│", "loss", "│", "ce", "│", "ce", "│", "dice", "│"]
    ]
    assert "epochs" not in printed.split("settings that differ")[1]
    rows(weights / "exp1")
    assert "settings that differ" not in capsys.readouterr().out


def test_tables_are_as_wide_as_they_are(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    for seed in range(7):
        name = tmp_path / f"experiment_{seed}" / "unet"
        make_run(name, rows_of(0.4321), seed=seed, lr_options={"warm_up": seed}, epochs=seed)
    rows(tmp_path)
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("experiment_6/unet", "0.4321", "{'warm_up': 6}"))


def test_many_runs_are_rows_of_the_settings(tmp_path, capsys):
    for seed in range(7):
        make_run(tmp_path / f"exp{seed}" / "unet", rows_of(0.5), seed=seed)
    rows(tmp_path)
    assert "│ exp6/unet │ 6    │" in capsys.readouterr().out


def test_table_and_curves_are_written_and_the_runs_left_alone(weights, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in weights.rglob("*")}
    expected = rows(weights, output=str(tmp_path / "out"))
    assert {path: path.stat().st_mtime_ns for path in weights.rglob("*")} == before
    with (tmp_path / "out" / "compare.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["loss"] for row in written] == ["ce", "ce", "dice"]
    assert [{key: row[key] for key in expected[0]} for row in written] == [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in expected
    ]
    assert cv2.imread(str(tmp_path / "out" / "compare.png")).std() > 5
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_what_is_no_run_gets_one_sentence(weights, tmp_path):
    for path in (weights / "exp3", weights / "exp3" / "unet", tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=f"{path}: there is no run with a finished epoch here"):
            rows(weights, path)
    with pytest.raises(ValueError, match="is in the run .*unet; choose another folder"):
        rows(weights, output=str(weights / "exp1" / "unet" / "new"))
    with pytest.raises(UsageError, match="give at least one run folder"):
        CompareConfig([])


def test_the_command_line(weights, capsys):
    main(["compare", str(weights)])
    assert "exp2/unet" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["compare"])
    error = capsys.readouterr().err
    assert "runs" in error
    assert len(error.strip().splitlines()) == 1
