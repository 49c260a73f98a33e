"""The number that decides which epoch is best."""

import pytest

from kseg.config import TrainConfig
from kseg.inference.model_file import ModelInfo
from kseg.training.callbacks import ran_dry
from kseg.training.monitor import SCORES, is_better, monitored, scores_of


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "val_iou_score"),
        ({"validate": False}, "iou_score"),
        ({"monitor": "val_loss"}, "val_loss"),
        ({"monitor": "kappa"}, "kappa"),
    ],
)
def test_the_monitor_follows_the_settings(options, name):
    assert monitored(TrainConfig(**options)) == name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "val_iou_scor"}, "did you mean val_iou_score?"),
        ({"monitor": "accuracy of all"}, "is neither a loss nor a score"),
        ({"monitor": "val_loss", "validate": False}, "--monitor val_loss needs --validate true"),
    ],
)
def test_an_impossible_monitor_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        monitored(TrainConfig(**options))


def test_the_monitored_score_is_computed():
    assert scores_of(TrainConfig()) == SCORES
    assert scores_of(TrainConfig(monitor="val_loss")) == SCORES
    assert scores_of(TrainConfig(monitor="val_kappa")) == (*SCORES, "kappa")


def test_a_loss_gets_better_downwards_and_a_score_upwards():
    assert is_better("val_loss", 0.1, 0.2)
    assert not is_better("val_loss", 0.2, 0.2)
    assert is_better("val_iou_score", 0.3, 0.2)
    assert not is_better("val_iou_score", 0.2, 0.2)
    assert is_better("val_iou_score", 0.0, None)


def test_a_run_is_dry_after_so_many_epochs_without_progress():
    info = ModelInfo("unet", ("a", "b"), None, 32, 32, 1, "divide", epochs=7, best_epoch=4)
    assert [ran_dry(info, patience) for patience in range(6)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
