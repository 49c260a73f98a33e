"""Training on windows, validation and prediction on whole images."""

from dataclasses import replace

import numpy as np
import pytest

from kseg.cli import main
from kseg.config import TrainConfig, UsageError
from kseg.inference.predictor import Predictor
from kseg.losses import get_loss
from kseg.runs import RunFolder
from kseg.training import train
from kseg.training.augmentation import run_recipe
from kseg.training.inputs import Inputs, opened_dataset
from tests.training.cases import rows_of, settings

WINDOWS = {"crop_height": 64, "crop_width": 64}


def inputs_of(config):
    dataset = opened_dataset(config)
    run = RunFolder(config.run_path)
    return Inputs(config, dataset, get_loss("ce"), run_recipe(config, run)), dataset


@pytest.fixture
def cropped(parts_root, tmp_path):
    sizes = {"input_height": 48, "input_width": 64, "crop_height": 32, "crop_width": 40}
    return settings(parts_root, tmp_path, **sizes, crops_per_image=2, epochs=1, augment="medical")


def test_windows_are_trained_on_and_whole_images_validated(cropped):
    inputs, dataset = inputs_of(cropped)
    training, validation = inputs.training(4), inputs.validation()
    assert len(training) == 2 * len(dataset.train) // 4
    images, labels = training[0]
    assert (images.shape, labels.shape) == ((4, 32, 40, 3), (4, 32, 40))
    assert validation[0][0].shape[1:3] == (48, 64)
    assert inputs.shown(2)[0].shape[1:3] == (48, 64)


def test_windows_with_foreground_are_drawn_in_training(cropped):
    def share(foreground):
        config = replace(cropped, crop_foreground=foreground, crops_per_image=8, augment="none")
        batches = inputs_of(config)[0].training(4)
        labels = np.concatenate([batches[index][1] for index in range(len(batches))])
        return (labels[:, 8:24, 10:30] == 1).any((1, 2)).mean()

    assert share(1.0) > share(0.0)


def test_a_run_on_windows_predicts_whole_images_and_goes_on(cropped):
    run = train(cropped)
    (row,) = rows_of(run.metrics)
    assert float(row["val_iou_score"]) >= 0
    info = Predictor.load(run.path).info
    assert (info.input_height, info.input_width) == (48, 64)
    # What is not said is what the run was trained with.
    main(["train", "--resume", str(run.path), "--epochs", "2"])
    assert len(rows_of(run.metrics)) == 2


def test_large_images_are_validated_in_windows_and_tested_in_tiles(cropped, monkeypatch):
    config = replace(cropped, val_crops=True, input_height=64)
    inputs, dataset = inputs_of(config)
    shapes = {inputs.validation()[index][0].shape[1:3] for index in range(2)}
    assert shapes == {(32, 40)}
    pictures, labels = inputs.shown(3)
    assert pictures.shape == (3, 32, 40, 3)
    assert labels.shape == (3, 32, 40)
    tiles, load = [], Predictor.load

    def noted(path, **options):
        tiles.append(options["tile"])
        return load(path, **options)

    monkeypatch.setattr(Predictor, "load", noted)
    run = train(config)
    assert tiles == [40]
    (row,) = rows_of(run.metrics)
    assert float(row["val_pixel_accuracy"]) > 0
    assert run.evaluation.is_dir()


def test_tiles_of_another_scale_than_the_training_are_refused(cropped):
    message = r"\.jpg: the image has 64x64 pixels .* input size 48x64, .* leave --val_crops out"
    with pytest.raises(ValueError, match=message):
        train(replace(cropped, val_crops=True))
    assert not cropped.run_path.exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop_height": 64}, "--crop_height and --crop_width belong together"),
        ({"crop_width": 64}, "--crop_height and --crop_width belong together"),
        ({"crops_per_image": 2}, "--crops_per_image needs --crop_height and --crop_width"),
        ({"crop_height": 64, "crop_width": 256}, "--crop_width 256 is larger than --input_width"),
        ({"crop_height": 256, "crop_width": 64}, "--crop_height 256 is larger than --input_hei"),
        ({"crop_height": 16, "crop_width": 64}, "--crop_height must be at least 32, got 16"),
        ({"val_crops": True}, "--val_crops needs --crop_height and --crop_width"),
        ({"crop_foreground": 0.3}, "--crop_foreground needs --crop_height and --crop_width"),
        ({**WINDOWS, "crop_foreground": 1.5}, "--crop_foreground must be at most 1, got 1.5"),
        ({**WINDOWS, "crop_foreground": -0.5}, "--crop_foreground must be at least 0, got -0.5"),
        ({"crops_per_image": 0}, "--crops_per_image must be at least 1, got 0"),
    ],
)
def test_wrong_windows_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        TrainConfig(**values)
