"""`kseg train --auto`: what follows from the facts of a data set."""

from dataclasses import replace

import pytest

from kseg.training.propose import (
    Sizes,
    propose,
)
from kseg.training.propose.looks import must_be_parted, only_lines, thin_classes
from tests.training.propose_cases import CELLS, CPU, GPU, LINES, facts_of, of_size, with_shares


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"loss": "ce_dice", "class_weights": "none", "augment": "medium", "resize_op": 1}),
        (LINES, {"loss": "cl_dice", "loss_options": {"class_ids": [1], "iterations": 5}}),
        (LINES, {"class_weights": "none", "augment": "medical"}),
        (CELLS, {"loss": "edge_weighted_ce", "class_weights": "none", "augment": "medical"}),
        (with_shares(0.99, 0.01), {"loss": "ce_dice", "class_weights": "none"}),
        (with_shares(0.68, 0.3, 0.02), {"loss": "ce_dice", "class_weights": "median_frequency"}),
        (with_shares(0.7, 0.2999, 0.0001), {"class_weights": "enet"}),
        (with_shares(0.5, 0.4, 0.1), {"class_weights": "none"}),
        ({"train": 60}, {"augment": "strong", "model_options": {"filters": 16}}),
        ({"train": 30_000}, {"augment": "light", "train_batch_size": 4}),
        ({"grey": True}, {"augment": "medical"}),
        ({"channels": 5}, {"augment": "turns"}),
        ({"val": 0}, {"validate": False}),
        ({"train": 20}, {"train_batch_size": 2, "learning_rate": 0.0005, "epochs": 200}),
        (of_size(360, 480), {"input_height": 352, "input_width": 480}),
        (of_size(20, 70), {"input_height": 32, "model_options": {"filters": 16, "levels": 3}}),
        (of_size(3000, 4000), {"input_height": 384, "input_width": 512}),
        ({**LINES, **of_size(700, 700)}, {"input_height": 704}),
        ({"sizes": Sizes((200, 200), (256, 256), (400, 400), 1.8)}, {"resize_op": 2}),
    ],
)
def test_a_fact_has_its_consequence(changes, expected):
    found = propose(facts_of(**changes), CPU)
    assert {key: found.values.get(key) for key in expected} == expected


def test_an_early_stop_needs_a_long_run_and_validation():
    assert propose(facts_of(train=20), CPU).values["early_stopping"] == 50
    assert "early_stopping" not in propose(facts_of(train=20, val=0), CPU).values
    assert "early_stopping" not in propose(facts_of(), CPU).values


def test_more_images_and_a_gpu_allow_a_wider_network():
    widths = [
        propose(facts_of(train=train), GPU).values["model_options"]["filters"]
        for train in (100, 500, 5000)
    ]
    assert widths == [16, 32, 64]
    assert propose(facts_of(train=5000), GPU).values["workers"] == 8


def test_lines_and_cells_are_told_from_street_scenes():
    street = with_shares(0.3, 0.5, 0.1, 0.1)
    pole = replace(street["shapes"], widths=(50, 60, 4, 50), elongations=(2, 3, 30, 4))
    facts = facts_of(**{**street, "shapes": pole})
    assert thin_classes(facts) == [2]
    assert not only_lines(facts)
    assert only_lines(facts_of(**LINES))
    assert must_be_parted(facts_of(**CELLS))
    assert not must_be_parted(facts_of(**LINES))


def test_a_smaller_input_comes_before_a_smaller_network_except_for_lines():
    photographs, lines = (facts_of(**one, **of_size(512, 512)) for one in ({}, LINES))
    little = replace(CPU, memory_gb=2.4)
    found = propose(photographs, little).values
    assert (found["model_options"], found["input_height"] < 512) == ({"filters": 16}, True)
    found = propose(lines, replace(CPU, memory_gb=2.9)).values
    assert (found["model_options"], found["input_height"]) == ({"filters": 8}, 512)
