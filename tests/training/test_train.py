import csv
import json

import cv2
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kseg.cli import main
from kseg.config import TrainConfig
from kseg.inference.model_file import read_info
from kseg.runs import RunFolder
from kseg.training import train


def settings(parts_root, folder, **changes):
    values = {
        "data_root": str(parts_root),
        "train_save_path": str(folder),
        "input_height": 32,
        "input_width": 32,
        "epochs": 2,
        "jit": "auto" if keras.backend.backend() == "jax" else "off",
    }
    return TrainConfig(**{**values, **changes})


@pytest.fixture(scope="module")
def finished(parts_root, tmp_path_factory):
    """A run of two epochs."""
    return train(settings(parts_root, tmp_path_factory.mktemp("weights")))


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_fills_its_folder(finished):
    assert finished.path.parts[-2:] == ("exp1", "unet")
    for file in (finished.config, finished.best, finished.last, finished.metrics):
        assert file.stat().st_size > 0
    for picture in (finished.curves, finished.evaluation / "contact_sheet.png"):
        assert cv2.imread(str(picture)).std() > 5
    assert not [path for path in finished.path.rglob("*") if "partial" in path.name]
    environment = json.loads(finished.environment.read_text())
    assert environment["packages"]["keras"] == keras.__version__
    assert environment["backend"] == keras.backend.backend()


def test_the_metrics_file_has_a_row_per_epoch(finished):
    rows = rows_of(finished.metrics)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    expected = {"loss", "val_loss", "iou_score", "val_iou_score", "val_dice_score", "seconds"}
    assert expected | {"val_f1_score", "val_f2_score", "val_jaccard_score"} <= set(rows[0])
    assert 0 <= float(rows[1]["val_iou_score"]) <= 1


def test_tensorboard_finds_scalars_and_pictures(finished):
    for part, pictures in (("train", 0), ("validation", 3)):
        events = EventAccumulator(str(finished.log / part)).Reload()
        steps = [event.step for event in events.Scalars("loss")]
        assert steps == [1, 2]
        assert "iou_score" in events.Tags()["scalars"]
        assert len(events.Tags()["images"]) == pictures


def test_the_report_counts_every_test_pixel_at_original_size(finished):
    report = json.loads((finished.evaluation / "report.json").read_text())
    assert np.sum(report["confusion"]) == 4 * 64 * 64
    assert set(report["means"]) >= {"mean_iou", "foreground_iou", "pixel_accuracy"}


def test_checkpoints_know_their_classes_and_progress(finished):
    info = read_info(finished.last)
    assert (info.model_name, info.epochs, info.input_height) == ("unet", 2, 32)
    assert tuple(info.class_names) == ("background", "part")
    best = max(float(row["val_iou_score"]) for row in rows_of(finished.metrics))
    assert read_info(finished.best).best_score == pytest.approx(best)
    keras.models.load_model(finished.best)


def test_a_second_run_does_not_overwrite_the_first(finished, parts_root):
    before = finished.last.read_bytes()
    with pytest.raises(ValueError, match="there is a run already.*--resume last.*--overwrite"):
        train(settings(parts_root, finished.path.parents[1]))
    assert finished.last.read_bytes() == before


def test_a_resumed_run_ends_like_one_that_was_never_stopped(parts_root, finished, tmp_path):
    whole = settings(parts_root, tmp_path / "whole", epochs=3, lr_schedule="constant")
    in_parts = settings(parts_root, tmp_path / "parts", epochs=1, lr_schedule="constant")
    expected = train(whole)
    train(in_parts)
    run = RunFolder(in_parts.run_path)
    main(["train", "--resume", str(run.path), "--epochs", "3"])
    assert [row["epoch"] for row in rows_of(run.metrics)] == ["1", "2", "3"]
    resumed, uninterrupted = (keras.models.load_model(r.last) for r in (run, expected))
    assert int(resumed.optimizer.iterations) == int(uninterrupted.optimizer.iterations) == 12
    for mine, theirs in zip(resumed.get_weights(), uninterrupted.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--n_classes=3", "the data set has 3 classes, but the run to resume has 2"),
        ("--input_height=64", "--input_height is 64, but the run to resume has 32"),
    ],
)
def test_resuming_with_another_shape_is_refused(flag, message, finished, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--resume", str(finished.path), flag])
    assert message in capsys.readouterr().err


def test_early_stopping_ends_the_run(parts_root, tmp_path):
    config = settings(
        parts_root, tmp_path, epochs=8, early_stopping=1, learning_rate=0.0, model_name="unet"
    )
    rows = rows_of(train(config).metrics)
    # The weights do not move; the moving statistics may still improve the score for a while.
    scores = [float(row["val_iou_score"]) for row in rows]
    assert len(rows) < 8
    assert max(scores[:-1]) >= scores[-1]


def test_a_run_without_validation_keeps_the_best_training_score(parts_root, tmp_path):
    run = train(settings(parts_root, tmp_path, validate=False, epochs=1))
    row = rows_of(run.metrics)[0]
    assert not [name for name in row if name.startswith("val_")]
    assert read_info(run.best).best_score == pytest.approx(float(row["iou_score"]))


def test_letterbox_borders_do_not_count(parts_root, tmp_path):
    run = train(settings(parts_root, tmp_path, resize_op=2, input_width=64, epochs=1))
    assert read_info(run.best).resize_op == 2
    report = json.loads((run.evaluation / "report.json").read_text())
    assert np.sum(report["confusion"]) == 4 * 64 * 64


def test_a_loss_that_is_not_finite_stops_the_run(parts_root, tmp_path):
    config = settings(parts_root, tmp_path, learning_rate=1e30, optimizer_name="sgd")
    with pytest.raises(ValueError, match="the loss became .* try a lower --learning_rate"):
        train(config)


def test_nothing_is_written_when_the_data_is_bad(parts_root, tmp_path):
    config = settings(parts_root, tmp_path / "weights", n_classes=1)
    with pytest.raises(ValueError, match="label values 1 are not in 0..0"):
        train(config)
    assert not (tmp_path / "weights").exists()


def test_auxiliary_heads_are_refused_with_a_sentence(parts_root, tmp_path):
    options = {"model_name": "unet++", "model_options": {"deep_supervision": True, "levels": 2}}
    with pytest.raises(ValueError, match="trains models with one output; leave deep_supervision"):
        train(settings(parts_root, tmp_path, **options))
    assert not (tmp_path / "exp1").exists()


def test_a_run_on_an_encoder_starts_from_given_weights(parts_root, tmp_path):
    stock = keras.applications.MobileNetV2(include_top=False, weights=None)
    stock.save_weights(tmp_path / "start.weights.h5")
    options = {
        "model_name": "deeplab_v3_plus",
        "encoder": "mobilenetv2",
        "encoder_weights": str(tmp_path / "start.weights.h5"),
        "epochs": 1,
        "learning_rate": 0.0,
    }
    run = train(settings(parts_root, tmp_path, **options))
    encoder = keras.models.load_model(run.best).get_layer("encoder")
    kernel = encoder.get_layer("Conv1").kernel
    np.testing.assert_allclose(kernel, stock.get_layer("Conv1").kernel, atol=1e-6)
