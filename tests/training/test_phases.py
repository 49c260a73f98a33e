"""Epochs with a frozen encoder, and those after them."""

import keras
import numpy as np
import pytest

from kseg.cli import main
from kseg.config import TrainConfig
from kseg.runs import RunFolder
from kseg.training import train
from kseg.training.phases import Phase, plan_phases
from tests.training.cases import rows_of, settings

# The smallest encoder that has normalisations and dropout.
MODEL = {"model_name": "linknet", "encoder": "resnet18", "model_options": {"filters": 4}}
FROZEN = {"freeze_epochs": 1, "freeze_batch_size": 8, "freeze_learning_rate": 0.01}


def encoder_weights(path):
    return keras.models.load_model(path, compile=False).get_layer("encoder").get_weights()


def start(tmp_path):
    """A file of weights to begin with, so that frozen ones are known."""
    from kseg.models import get_model

    model = get_model("linknet", 2, (32, 32, 3), encoder="resnet18", filters=4)
    path = tmp_path / "start.weights.h5"
    model.get_layer("encoder").save_weights(path)
    return path, model.get_layer("encoder").get_weights()


def test_a_frozen_encoder_keeps_weights_and_statistics_to_the_bit(parts_root, tmp_path):
    path, before = start(tmp_path)
    options = {**MODEL, **FROZEN, "encoder_weights": str(path), "lr_schedule": "constant"}
    config = settings(parts_root, tmp_path / "part", **options, epochs=1)
    run = RunFolder(train(config).path)
    for one, other in zip(before, encoder_weights(run.last), strict=True):
        np.testing.assert_array_equal(one, other)
    main(["train", "--resume", str(run.path), "--epochs", "3"])
    moved = [
        not np.array_equal(one, other)
        for one, other in zip(before, encoder_weights(run.last), strict=True)
    ]
    assert np.mean(moved) > 0.9
    assert [row["epoch"] for row in rows_of(run.metrics)] == ["1", "2", "3"]
    whole = settings(parts_root, tmp_path / "whole", **options, epochs=3)
    expected = train(whole)
    models = [keras.models.load_model(one.last, compile=False) for one in (run, expected)]
    for mine, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_early_stopping_counts_no_frozen_epochs(parts_root, tmp_path, monkeypatch):
    # The first epoch stays the best: three frozen ones, then three unfrozen ones until it ends.
    monkeypatch.setattr(
        "kseg.training.callbacks.checkpoints.is_better", lambda name, score, best: best is None
    )
    options = {**MODEL, "freeze_epochs": 3, "unfreeze_epochs": 1, "early_stopping": 3}
    run = train(settings(parts_root, tmp_path, **options))
    assert len(rows_of(run.metrics)) == 4
    main(["train", "--resume", str(run.path), "--unfreeze_epochs", "5"])
    assert len(rows_of(run.metrics)) == 6
    main(["train", "--resume", str(run.path)])
    assert len(rows_of(run.metrics)) == 6


def test_phases_have_their_own_batch_size_and_rate():
    config = TrainConfig(epochs=10, learning_rate=0.1, train_batch_size=2, **FROZEN)
    assert plan_phases(config) == (
        Phase(0, 1, 8, 0.01, frozen=True),
        Phase(1, 10, 2, 0.1, frozen=False),
    )
    config = TrainConfig(freeze_epochs=3, unfreeze_epochs=4, learning_rate="auto")
    assert plan_phases(config) == (
        Phase(0, 3, 4, "auto", frozen=True),
        Phase(3, 7, 4, "auto", frozen=False),
    )
    assert plan_phases(TrainConfig(epochs=2, freeze_epochs=2)) == (
        Phase(0, 2, 4, None, frozen=True),
    )
    assert plan_phases(TrainConfig(epochs=2)) == (Phase(0, 2, 4, None, frozen=False),)


def test_more_frozen_epochs_than_epochs_are_refused():
    with pytest.raises(ValueError, match="--freeze_epochs 9 are more than --epochs 2; say with"):
        TrainConfig(epochs=2, freeze_epochs=9)


def test_a_model_without_encoder_cannot_be_frozen(parts_root, tmp_path):
    with pytest.raises(ValueError, match="'unet' has no encoder to freeze"):
        train(settings(parts_root, tmp_path, freeze_epochs=1))
    assert not (tmp_path / "exp1").exists()
