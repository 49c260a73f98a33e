"""Batches of one image: refused where batch normalisation sees one value, trained elsewhere."""

from dataclasses import replace

import pytest

from kseg.training.inputs import opened_dataset
from kseg.training.model import new_model
from tests.training.cases import settings

POOLED = {"model_name": "pspnet", "model_options": {}}


@pytest.fixture
def single(parts_root, tmp_path):
    return settings(parts_root, tmp_path, train_batch_size=1, input_height=64, input_width=64)


def built(config):
    return new_model(config, opened_dataset(config))[0]


@pytest.mark.parametrize(
    "changes",
    [
        POOLED,
        {**POOLED, "train_batch_size": 2, "freeze_epochs": 1, "freeze_batch_size": 1},
        # Four halvings of 16 pixels.
        {"model_options": {"filters": 2, "levels": 6}, "input_height": 32, "input_width": 32},
    ],
)
def test_a_model_that_normalises_single_places_needs_two_images(changes, single):
    with pytest.raises(ValueError, match="batches of 1 image cannot train .* 2 or more"):
        built(replace(single, **changes))


@pytest.mark.parametrize("changes", [{}, {**POOLED, "train_batch_size": 2}])
def test_others_train_with_one_and_these_with_two(changes, single):
    assert built(replace(single, **changes)).count_params() > 0
