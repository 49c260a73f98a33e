"""A resumed run keeps the augmentation that it began with."""

import pytest

from kseg.config import TrainConfig
from kseg.config.parse import save_config
from kseg.data.augment import PRESETS, find_recipe
from kseg.data.augment.read import write_recipe
from kseg.runs import RunFolder
from kseg.training.augmentation import run_recipe


@pytest.fixture
def begun(tmp_path):
    """A run that began with a user's file, and that file."""
    file = tmp_path / "mine.yaml"
    file.write_text("[hflip]")
    run = RunFolder(tmp_path / "exp1" / "unet")
    run.create(overwrite=False)
    config = TrainConfig(augment=str(file), train_save_path=str(tmp_path))
    save_config(config, run.config)
    write_recipe(run_recipe(config, run), run.augment)
    return run, file


def resumed(run, augment):
    return run_recipe(TrainConfig(augment=str(augment), resume=str(run.path)), run)


def test_a_file_that_changed_or_went_away_changes_nothing(begun):
    run, file = begun
    file.write_text("[vflip]")
    assert resumed(run, file) == PRESETS["hflip"]
    file.unlink()
    assert resumed(run, file) == PRESETS["hflip"]


def test_another_name_is_followed(begun):
    run, file = begun
    assert resumed(run, "medium") == PRESETS["medium"]
    file.write_text("[vflip]")
    again = TrainConfig(augment=str(file))
    assert run_recipe(again, run) == find_recipe(str(file)) != PRESETS["hflip"]
