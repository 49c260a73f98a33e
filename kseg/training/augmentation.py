"""The augmentation of a run."""

from __future__ import annotations

import yaml

from kseg.config import TrainConfig
from kseg.data.augment import Recipe, find_recipe
from kseg.data.augment.read import read_recipe
from kseg.runs import RunFolder


def run_recipe(config: TrainConfig, run: RunFolder) -> Recipe:
    """Return the augmentation that the settings name.

    A run that is resumed under the same name keeps what the name meant when it began: the user's
    file may have changed or gone since, or a later version may know a better preset.

    Raises:
        ValueError: An unknown name, or a file that is no recipe.
    """
    if config.resume and run.augment.is_file() and config.augment == _name_so_far(run):
        return read_recipe(run.augment)
    return find_recipe(config.augment)


def _name_so_far(run: RunFolder) -> str:
    return yaml.safe_load(run.config.read_text("utf-8"))["augment"]
