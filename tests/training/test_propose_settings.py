"""`kseg train --auto`: settings are valid for any facts, and what is given is kept."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.config import TrainConfig
from kseg.data.augment import find_recipe, needs_soft_labels
from kseg.training.optimizers import DEFAULT_LEARNING_RATES
from kseg.training.propose import (
    Budget,
    Classes,
    Shapes,
    Sizes,
    given_settings,
    propose,
)
from tests.training.propose_cases import CPU, LINES, facts_of

share = st.floats(0, 1)


@st.composite
def any_facts(draw):
    classes = 2
    several = lambda values: tuple(draw(values) for _ in range(classes))  # noqa: E731
    pixels = several(st.integers(0, 10**9))
    height = draw(st.integers(20, 5000))
    size = height, round(height * draw(st.floats(0.5, 2)))
    return facts_of(
        train=draw(st.integers(2, 200_000)),
        val=draw(st.integers(0, 1000)),
        grey=draw(st.booleans()),
        deep=draw(st.booleans()),
        sizes=Sizes(size, size, size, draw(st.floats(1, 5))),
        classes=Classes(
            tuple(f"class {i}" for i in range(classes)), pixels, (sum(pixels),) * classes
        ),
        shapes=Shapes(
            8,
            draw(st.floats(0, 500)),
            draw(st.floats(0, 1e6)),
            draw(share),
            several(st.floats(0, 200)),
            several(st.floats(0, 200)),
            several(st.floats(0, 1000)),
        ),
    )


@given(
    facts=any_facts(),
    memory=st.floats(0.1, 100),
    minutes=st.none() | st.floats(0.01, 10_000),
    device=st.sampled_from(["cpu", "gpu"]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_facts_give_valid_settings_within_the_budget_or_a_sentence(
    facts, memory, minutes, device
):
    budget = Budget(memory, minutes, device, backend="tensorflow")
    try:
        found = propose(facts, budget)
    except ValueError as refusal:
        said = str(refusal)
    else:
        check_proposal(found, facts, budget)
        return
    assert "too little" in said or "no pixel" in said
    assert "\n" not in said


def check_proposal(found, facts, budget):
    assert found.plan.fit.memory_gb <= budget.memory_gb
    assert budget.minutes is None or found.plan.minutes <= budget.minutes
    config = found.config()
    assert config.input_height % 32 == config.input_width % 32 == 0
    assert 2 <= config.train_batch_size <= facts.train
    assert all(one.reason and "\n" not in one.reason for one in found.decisions)
    assert not needs_soft_labels(find_recipe(config.augment).transforms(255))


def test_what_is_given_is_kept_and_the_rest_fits_it():
    given_ = {
        "model_options": {"filters": 4},
        "input_height": 96,
        "train_batch_size": 3,
        "loss": "c_focal",
        "augment": "none",
        "epochs": 7,
        "data_root": "elsewhere",
    }
    found = propose(facts_of(), CPU, given_)
    assert {key: found.values[key] for key in given_} == given_
    assert (found.values["input_width"], found.plan.epochs) == (256, 7)
    assert found.values["model_name"] == "unet"
    reasons = {one.name: one.reason for one in found.decisions}
    assert {reasons[name] for name in given_} == {"as you said"}


def test_options_without_a_loss_are_those_of_the_default_loss():
    found = propose(facts_of(**LINES), CPU, {"loss_options": {"label_smoothing": 0.1}}).values
    assert (found["loss"], found["loss_options"]) == ("ce", {"label_smoothing": 0.1})


def test_pretrained_weights_bring_an_encoder_and_a_rest_for_it():
    found = propose(facts_of(), CPU, {"encoder_weights": "imagenet"})
    assert found.values["encoder"] == "mobilenetv2"
    assert found.values["learning_rate"] < propose(facts_of(), CPU).values["learning_rate"]
    assert 0 < found.values["freeze_epochs"] < found.values["epochs"]
    with pytest.raises(ValueError, match="needs encoder, the name of its network"):
        propose(facts_of(), CPU, {"encoder_weights": "weights.h5"})


@pytest.mark.parametrize("name", ["adadelta", "SGD", "lion", "adafactor", "adagrad", "adam"])
def test_the_learning_rate_is_that_of_the_optimizer_that_is_given(name):
    usual = DEFAULT_LEARNING_RATES[name.lower()]
    given_ = {"optimizer_name": name}
    rates = [
        propose(facts_of(**facts), CPU, {**given_, **more}).values["learning_rate"]
        for facts, more in (({}, {}), ({"train": 20}, {}), ({}, {"encoder_weights": "imagenet"}))
    ]
    assert rates == pytest.approx([usual, 0.5 * usual, 0.3 * usual])
    found = propose(facts_of(), CPU, {**given_, "encoder_weights": "imagenet"}).values
    assert found["freeze_learning_rate"] == usual


@pytest.mark.parametrize(
    "windows",
    [{"crop_height": 256, "crop_width": 256}, {"val_crops": True}, {"crops_per_image": 4}],
)
def test_windows_are_for_the_written_file(windows):
    message = "--auto plans for whole images: leave --.* out and add them to the file it writes"
    with pytest.raises(ValueError, match=message):
        propose(facts_of(), CPU, windows)


def test_given_settings_are_those_that_are_not_the_defaults():
    config = TrainConfig(dataset_name="isbi", seed=3, overwrite=True, model_options={"filters": 4})
    expected = {"dataset_name": "isbi", "seed": 3, "model_options": {"filters": 4}}
    assert given_settings(config) == expected


def test_a_given_time_that_is_too_short_for_the_given_epochs_is_noted():
    found = propose(facts_of(), replace(CPU, minutes=1), {"epochs": 100})
    assert found.values["epochs"] == 100
    assert any("are short: about" in note for note in found.notes)
