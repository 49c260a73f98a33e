"""The published tables: which rows there are, what is left to do, what reduced runs are called."""

import csv
import json
import re
import signal
import sys
import threading

import pytest

from kseg.config import MedicalConfig, TrainConfig
from kseg.config.parse import parse_config
from kseg.models import list_models, model_spec
from tests.conftest import ROOT

sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "docs")]

import benchmark_tables  # noqa: E402
import model_speed  # noqa: E402
import result_files  # noqa: E402
import run_table  # noqa: E402
import size_cost  # noqa: E402
from table_rows import COMMANDS, rows_of  # noqa: E402

FOUNDING = {name for name in list_models() if model_spec(name).founding_parameters}
FOUNDING_LOSSES = 13


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of results."""
    monkeypatch.setattr(result_files, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def row_of(table="camvid", name="enet", **changes):
    (row,) = rows_of(table, [name], **changes)
    return row


def finished(row, **figures):
    return {**row.label, "epochs_run": row.label["epochs"], "date": "2026-01-01", **figures}


@pytest.mark.parametrize("table", ["camvid", "parts"])
def test_a_table_of_models_has_the_founding_eighteen(table):
    models = {row.used["model_name"] for row in rows_of(table, None) if "encoder" not in row.used}
    assert models >= FOUNDING


def test_the_table_of_losses_has_the_founding_thirteen():
    assert len({row.used["loss"] for row in rows_of("drive", None)}) == FOUNDING_LOSSES


@pytest.mark.parametrize("table", COMMANDS)
def test_every_row_is_a_valid_command(table, tmp_path):
    config_class = MedicalConfig if COMMANDS[table] == "train_medical" else TrainConfig
    for row in rows_of(table, None, epochs=2, scale=0.5):
        config = parse_config(config_class, row.flags(tmp_path))
        assert config.run_path == row.run_path(tmp_path)
        assert (config.model_name, config.loss) == (row.label["model"], row.label["loss"])
        assert (config.epochs, config.input_height) == (2, row.label["height"])


def test_an_unknown_row_is_refused_with_the_names():
    with pytest.raises(ValueError, match="no row 'unett'; it has attunet"):
        rows_of("camvid", ["unett"])


def test_rows_come_in_the_order_they_were_named():
    assert [row.name for row in rows_of("camvid", ["segnet", "e*"])] == ["segnet", "enet"]


@pytest.mark.parametrize(
    ("changes", "reduced"), [({}, ""), ({"epochs": 3}, "yes"), ({"scale": 0.5}, "yes")]
)
def test_a_run_of_less_than_the_table_is_reduced(changes, reduced):
    assert row_of(**changes).label["reduced"] == reduced


def test_a_run_with_other_settings_has_another_folder_and_row(tmp_path):
    half = row_of(others={"precision": "mixed_bfloat16"})
    assert half.place(tmp_path) != row_of().place(tmp_path)
    assert half.label["settings"] == "precision=mixed_bfloat16"


def test_an_encoder_row_takes_the_file_of_its_encoder(tmp_path):
    for name in ("mobilenet_notop.weights.h5", "mobilenetv2_notop.weights.h5"):
        (tmp_path / name).touch()
    row = row_of(name="unet_mobilenetv2", encoder_weights=tmp_path)
    assert row.label["encoder_weights"] == "mobilenetv2_notop.weights.h5"
    with pytest.raises(ValueError, match="no weights of resnet50"):
        row_of(name="unet_resnet50", encoder_weights=tmp_path)


def test_a_half_trained_row_goes_on(tmp_path):
    row = row_of()
    assert "--resume=last" not in run_table.train_command(row, tmp_path)
    row.run_path(tmp_path).mkdir(parents=True)
    (row.run_path(tmp_path) / "last.keras").touch()
    assert "--resume=last" in run_table.train_command(row, tmp_path)


def test_a_finished_row_is_left_alone_and_recorded(tmp_path, results):
    row, runner = row_of(), run_table.Runner("camvid", tmp_path, None, alone=True)
    assert runner.is_missing(row)
    row.place(tmp_path).mkdir(parents=True)
    (row.place(tmp_path) / run_table.RECORD).write_text(json.dumps(finished(row, acc=0.5)))
    assert not runner.is_missing(row)
    (stored,) = csv.DictReader((results / "table_camvid.csv").open())
    assert (stored["row"], stored["acc"]) == ("enet", "0.5")
    # The file alone is enough, where the run itself is gone; and a longer run is another row.
    assert not run_table.Runner("camvid", tmp_path / "new", None, alone=True).is_missing(row)
    assert runner.is_missing(row_of(epochs=51))


def test_a_row_with_an_encoder_waits_for_its_weights(tmp_path, results, capsys):
    runner = run_table.Runner("camvid", tmp_path, None, alone=True)
    assert not runner.is_missing(row_of(name="fpn_resnet50"))
    assert "needs --encoder_weights" in capsys.readouterr().out


def test_nothing_begins_after_the_time_is_over(tmp_path, results, capsys):
    with pytest.raises(SystemExit, match="not finished: enet"):
        run_table.main("camvid", ["enet"], minutes=0, work=str(tmp_path))
    assert "left for the next call" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_ctrl_c_ends_the_row_in_training_and_begins_no_other(
    tmp_path, results, monkeypatch, capsys
):
    def wait_for_ever(row, work):
        main_thread = threading.main_thread().ident
        threading.Timer(0.5, signal.pthread_kill, [main_thread, signal.SIGINT]).start()
        return [sys.executable, "-c", "import time; time.sleep(1000)"]

    monkeypatch.setattr(run_table, "train_command", wait_for_ever)
    with pytest.raises(SystemExit, match="stopped, the same command goes on"):
        run_table.main("camvid", ["enet", "unet"], work=str(tmp_path))
    said = capsys.readouterr().out
    assert "enet: stopped" in said
    assert "unet" not in said


def test_the_page_shows_the_full_run_of_a_row_and_labels_reduced_ones():
    full, short = row_of(), row_of(epochs=3)
    rows = [finished(short, device="AMD, 2 cores"), finished(full, device="NVIDIA L4")]
    (best,) = benchmark_tables.best_runs(rows)
    assert benchmark_tables.trained_label(best) == "50 epochs, 360x480, NVIDIA L4"
    label = benchmark_tables.trained_label(rows[0])
    assert label == "reduced: 3 epochs, 360x480, CPU"


def test_a_table_without_runs_has_no_numbers(results):
    assert "No run of this table" in benchmark_tables.result_table("camvid")


def test_a_table_shows_what_is_in_the_file(results):
    figures = {"membrane_dice": 0.8, "pixel_error": 0.07, "v_rand": 0.9, "device": "GPU"}
    cost = {"parameters": 1000, "gmacs": 1.5, "predict_images_per_second": 3.0}
    row = finished(row_of("isbi", "unet"), **figures, **cost)
    result_files.write_rows("table_isbi.csv", [row])
    assert "| 0.800 | 0.070 | 0.900 | 1,000 | 1.50 | 3.0 |" in benchmark_tables.result_table("isbi")


def test_what_most_rows_were_trained_with_stands_above_the_table(results):
    figures = {"acc": 0.5, "iou_score": 0.5, "dice_score": 0.5, "f1": 0.5, "f2": 0.5}
    figures |= {"mean_iou": 0.4, "parameters": 1, "gmacs": 1, "predict_images_per_second": ""}
    epochs = (("enet", 50), ("fcn8", 50), ("unet", 50), ("segnet", 49), ("unet", 60))
    rows = [
        finished(row_of(name=name), epochs_run=count, device="GPU", **figures)
        for name, count in epochs
    ]
    result_files.write_rows("table_camvid.csv", rows)
    first, _, *lines = benchmark_tables.result_table("camvid").splitlines()
    assert first == "Trained, where nothing else is said: 50 epochs, 360x480, GPU."
    said = re.findall(r"`(\w+)` \| ([^|]+) \|", "\n".join(lines))
    # The better of two runs, and the one that can be compared with the others.
    longer = [("segnet", "49 epochs, 360x480, GPU"), ("unet", "60 epochs, 360x480, GPU")]
    alike = [(name, "as above") for name in ("enet", "fcn8", "unet")]
    assert sorted(said) == sorted([*alike, *longer])


def test_results_are_merged_by_key_and_keep_new_columns(results):
    result_files.merge_rows("a.csv", ("x",), [{"x": 2, "y": 1}, {"x": 1, "y": 1}])
    result_files.merge_rows("a.csv", ("x",), [{"x": 2, "z": 5}])
    assert result_files.read_rows("a.csv") == [
        {"x": "1", "y": "1", "z": ""},
        {"x": "2", "y": "", "z": "5"},
    ]


def test_speeds_are_compared_with_the_fastest_peer_of_the_run():
    speeds = {"kseg jax": 30.0, "torch eager": 10.0, "torch compile": 20.0}
    rows = [{"network": name, "train_images_per_second": one} for name, one in speeds.items()]
    ratios = [row["train_over_torch"] for row in model_speed.compared(rows)]
    assert ratios == [1.5, 0.5, 1.0]


def test_a_network_that_is_not_the_same_is_refused():
    rows = [{"network": str(count), "parameters": count, "encoder": ""} for count in (7, 8)]
    with pytest.raises(ValueError, match="not the same network"):
        model_speed.check_same_network(rows)


def test_sizes_stop_where_the_next_one_would_cost_too_much():
    case = {"model": "unet", "encoder": "", "precision": "float32", "task": "train"}
    case |= {"backend": "jax", "batch": 1}
    measured = {**case, "size": "128", "batch": "1", "error": ""}
    measured |= {"step_ms": "1000", "added_memory_mb": "100"}
    bigger = {**case, "size": 256}
    assert not size_cost.costs_too_much(bigger, [], (3.9, 1000))
    assert not size_cost.costs_too_much(bigger, [measured], (4.1, 1000))
    assert size_cost.costs_too_much(bigger, [measured], (3.9, 1000))
    assert size_cost.costs_too_much(bigger, [measured], (4.1, 399))
    assert size_cost.costs_too_much(bigger, [{**measured, "error": "no memory"}], (9, 9000))


def test_the_peer_of_our_unet_has_its_weights_layer_by_layer():
    pytest.importorskip("torch")
    from peers import PlainUNet, count_parameters

    assert count_parameters(PlainUNet(2)) == model_spec("unet").parameters


@pytest.mark.full
def test_a_row_is_trained_scored_and_then_skipped(parts_root, tmp_path, results, capsys):
    options = {"epochs": 1, "scale": 0.15, "work": str(tmp_path / "work")}
    run_table.main("parts", ["fcn8"], data_root=str(parts_root), **options)
    (row,) = csv.DictReader((results / "table_parts.csv").open())
    assert row["reduced"] == "yes"
    assert 0 <= float(row["foreground_iou"]) <= float(row["acc"]) <= 1
    assert float(row["predict_images_per_second"]) > 0
    capsys.readouterr()
    run_table.main("parts", ["fcn8"], data_root=str(parts_root), **options)
    assert "fcn8" not in capsys.readouterr().out
