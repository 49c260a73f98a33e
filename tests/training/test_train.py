import json

import cv2
import keras
import numpy as np
import pytest
import yaml
from scipy.special import log_softmax
from sklearn.utils.class_weight import compute_class_weight
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kseg.cli import main
from kseg.config import TrainConfig, parse_config
from kseg.config.parse import save_config
from kseg.data import open_dataset
from kseg.data.augment import PRESETS, find_recipe
from kseg.data.batches import Batches
from kseg.data.edge_weighting import edge_weights
from kseg.inference.model_file import read_info
from kseg.losses import registry
from kseg.runs import RunFolder
from kseg.training import train
from tests.training.cases import rows_of, settings


@pytest.fixture(scope="module")
def finished(parts_root, tmp_path_factory):
    """A run of two epochs."""
    return train(settings(parts_root, tmp_path_factory.mktemp("weights")))


def test_a_run_fills_its_folder(finished):
    assert finished.path.parts[-2:] == ("exp1", "unet")
    for file in (finished.config, finished.best, finished.last, finished.metrics):
        assert file.stat().st_size > 0
    for picture in (finished.curves, finished.evaluation / "contact_sheet.png"):
        assert cv2.imread(str(picture)).std() > 5
    assert not [path for path in finished.path.rglob("*") if "partial" in path.name]
    assert find_recipe(str(finished.augment)) == PRESETS["hflip"]
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
    for part, pictures in (("train", 0), ("validation", 4)):
        events = EventAccumulator(str(finished.log / part)).Reload()
        steps = [event.step for event in events.Scalars("loss")]
        assert steps == [1, 2]
        assert {"iou_score", "class_iou/part"} <= set(events.Tags()["scalars"])
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


def test_counted_class_weights_are_printed_and_survive_resuming(parts_root, tmp_path, capsys):
    weighted = {
        "loss": "weighted_ce",
        "class_weights": "balanced",
        "loss_options": {"per_image": True},
    }
    run = train(settings(parts_root, tmp_path, **weighted, epochs=1))
    dataset = open_dataset("parts", parts_root)
    labels = np.concatenate([dataset.load_mask(files).ravel() for files in dataset.train])
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
    printed = f"class weights (balanced): background {expected[0]:g}, part {expected[1]:g}"
    assert printed in capsys.readouterr().out
    stored = yaml.safe_load(run.config.read_text())
    assert {name: stored[name] for name in weighted} == weighted
    main(["train", "--resume", str(run.path), "--epochs", "2"])
    loss = keras.models.load_model(run.last).loss
    np.testing.assert_allclose(loss.class_weights, expected)
    assert loss.per_image
    assert len(rows_of(run.metrics)) == 2


def test_a_loss_that_needs_a_map_of_weights_gets_it(parts_root, tmp_path):
    options = {"w0": 20.0, "sigma": 3.0}
    config = settings(parts_root, tmp_path, loss="edge_weighted_ce", loss_options=options, epochs=1)
    run = train(config)
    dataset = open_dataset("parts", parts_root)
    images, labels = Batches(dataset, dataset.val, 4, (32, 32)).batch(0, 0)
    logits = keras.models.load_model(run.last).predict(images, verbose=0)
    values = [
        -log_softmax(pixel.astype(float))[label]
        for pixel, label in zip(logits.reshape(-1, 2), labels.ravel(), strict=True)
    ]
    weights = np.stack([edge_weights(one, **options) for one in labels])
    expected = np.average(values, weights=weights.ravel())
    assert float(rows_of(run.metrics)[0]["val_loss"]) == pytest.approx(expected, rel=1e-4)
    assert weights.max() > 2


def test_resuming_with_another_loss_is_refused(finished, capsys):
    for flags in (["--loss", "dice"], ["--class_weights", "[1, 5]"]):
        with pytest.raises(SystemExit, match="2"):
            main(["train", "--resume", str(finished.path), *flags])
        assert "are not those of the run to resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--loss=dise"], "did you mean 'dice'"),
        (["--loss=weighted_ce"], "weighted_ce needs class_weights"),
        (["--loss_options", '{"gama": 1}', "--loss=c_focal"], "did you mean 'gamma'"),
        (["--loss_options", '{"class_ids": 3}', "--loss=dice"], "takes a list of classes"),
        (["--loss_options", '{"ignore_class": 3}'], "give ignore_class as --ignore_class"),
        (["--class_weights", "[1, -1]"], "at least 0 that are not all 0, got [1.0, -1.0]"),
        (["--class_weights", "[0, 0]"], "at least 0 that are not all 0, got [0.0, 0.0]"),
        (["--class_weights", "balance"], "--class_weights: "),
    ],
)
def test_a_bad_loss_is_refused_before_any_file_is_read(
    flags, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["train", *flags])
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_weights_and_options_from_flags_are_saved_and_read_again(tmp_path):
    flags = ["--class_weights", "[1, 5]", "--loss_options", '{"gamma": 1.5, "alpha": [1, 2]}']
    config = parse_config(TrainConfig, flags)
    assert config.class_weights == [1.0, 5.0]
    assert config.loss_options == {"gamma": 1.5, "alpha": [1, 2]}
    save_config(config, tmp_path / "config.yaml")
    assert parse_config(TrainConfig, ["--config", str(tmp_path / "config.yaml")]) == config
    assert TrainConfig(class_weights=np.array([1, 5])) == TrainConfig(class_weights=(1.0, 5.0))


def test_class_weights_must_fit_the_classes(parts_root, tmp_path):
    config = settings(parts_root, tmp_path / "weights", class_weights=[1, 2, 3])
    with pytest.raises(ValueError, match="has 3 numbers, but parts has 2 classes: background, p"):
        train(config)
    assert not (tmp_path / "weights").exists()


def test_a_loss_without_class_weights_says_so(parts_root, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_LOSSES", dict(registry._LOSSES))

    @registry.register("plain")
    def plain(*, ignore_class=None):
        return keras.losses.SparseCategoricalCrossentropy(True, ignore_class)

    with pytest.raises(ValueError, match="the loss 'plain' takes no class weights; leave"):
        train(settings(parts_root, tmp_path, loss="plain", class_weights="enet"))


def test_a_run_on_an_encoder_starts_from_given_weights(parts_root, tmp_path):
    stock = keras.applications.MobileNet(include_top=False, weights=None)
    stock.save_weights(tmp_path / "start.weights.h5")
    options = {
        "model_name": "linknet",
        "model_options": {"filters": 4},
        "encoder": "mobilenet",
        "encoder_weights": str(tmp_path / "start.weights.h5"),
        "epochs": 1,
        "learning_rate": 0.0,
    }
    run = train(settings(parts_root, tmp_path, **options))
    encoder = keras.models.load_model(run.best).get_layer("encoder")
    kernel = encoder.get_layer("conv1").kernel
    np.testing.assert_allclose(kernel, stock.get_layer("conv1").kernel, atol=1e-6)


def test_bands_a_cache_and_mixed_samples_go_through_training_and_prediction(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 2)):
        for kind in ("image", "label"):
            (tmp_path / "bands" / f"{part}_{kind}").mkdir(parents=True)
        for index in range(count):
            mask = (rng.random((40, 36)) < 0.4).astype("uint8")
            bands = rng.integers(0, 2**16, (40, 36, 5)).astype("uint16")
            bands[..., 4] = mask.astype("uint16") * 40_000
            folder = tmp_path / "bands"
            np.save(folder / f"{part}_image" / f"{index}.npy", bands)
            cv2.imwrite(str(folder / f"{part}_label" / f"{index}.png"), mask)
    recipe = tmp_path / "mix.yaml"
    recipe.write_text("[hflip, {zoom: {p: 1}}, noise, {mixup: {p: 0.5}}]")
    changes = {"dataset_name": "bands", "image_channels": 5, "cache": "ram", "loss": "ce_dice"}
    changes |= {"augment": str(recipe), "train_save_path": str(tmp_path / "weights")}
    run = train(settings(tmp_path, tmp_path, **changes))
    assert keras.models.load_model(run.best, compile=False).input_shape[-1] == 5
    image = tmp_path / "bands" / "test_image" / "0.npy"
    flags = {"model": run.path, "input": image, "output": tmp_path / "out"}
    main(["predict", *(f"--{flag}={value}" for flag, value in flags.items())])
    assert cv2.imread(str(tmp_path / "out" / "0_label.png"), 0).shape == (40, 36)
    assert cv2.imread(str(tmp_path / "out" / "0_overlay.jpg")).shape == (40, 36, 3)


def test_an_unknown_augmentation_is_refused_before_any_file_is_read(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--augment", "medim", "--data_root", str(tmp_path / "nowhere")])
    assert "augment must be one of none, hflip" in capsys.readouterr().err
