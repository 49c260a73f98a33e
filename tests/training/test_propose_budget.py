"""`kseg train --auto`: memory and time that there are, and that a run takes."""

from dataclasses import replace

import keras
import pytest

from kseg.training.propose import (
    Budget,
    machine_budget,
    propose,
)
from kseg.training.propose.budget import gpu_memory_gb, host_memory_gb
from kseg.training.propose.cost import Cost, Network, count_elements, image_cost, training_gb
from kseg.training.propose.measure import measure_rate
from tests.training.propose_cases import CPU, GPU, facts_of, of_size, with_shares


def test_the_budget_of_this_machine_is_plausible():
    budget = machine_budget(minutes=5)
    assert 0 < budget.memory_gb < 10_000
    assert (budget.minutes, budget.backend) == (5, keras.backend.backend())
    assert budget.cores >= 1
    assert machine_budget(memory_gb=3).memory_gb == 3
    assert 0 < host_memory_gb() < 10_000


@pytest.mark.parametrize(
    ("script", "expected"),
    [("echo 16000; echo 8000", 0.9 * 8000 * 2**20 / 1e9), ("exit 9", 8), ("echo N/A", 8)],
)
def test_the_memory_of_a_gpu_is_what_its_tool_says(script, expected, tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_memory_gb() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_gb": 0}, "needs memory_gb above 0, got 0"),
        ({"minutes": float("nan")}, "needs minutes above 0, got nan"),
        ({"device": "tpu"}, "is 'cpu' or 'gpu', not 'tpu'"),
    ],
)
def test_a_budget_of_nothing_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Budget(**{"memory_gb": 8, **changes})


def test_layers_outputs_are_counted():
    inputs = x = keras.Input((8, 8, 3))
    for layer in (
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(2, 1),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    # 8*8*4 + 4*4*4 + 4*4*2
    assert count_elements(model, (8, 8)) == 352
    assert count_elements(model, (16, 8)) == 704


def test_the_memory_of_a_step_by_hand():
    # 1.4 GB + 4 bytes * 2 images * (1.3 * 1e8 + 6 * 1e6) + 16 bytes * 1e6 weights
    cost = Cost(parameters=10**6, elements=10**8, macs=1)
    assert training_gb(cost, 10**6, 2, CPU) == pytest.approx(1.4 + 1.088 + 0.016)
    torch = replace(CPU, backend="torch")
    assert training_gb(cost, 10**6, 2, torch) == pytest.approx(1.4 + 1.968 + 0.016)


def test_four_times_the_pixels_cost_four_times_as_much():
    network = Network("unet", {"filters": 4, "levels": 3})
    small, large = (image_cost(network, (s, s), 3, 2) for s in (32, 64))
    assert large.parameters == small.parameters
    assert (large.elements, large.macs) == (4 * small.elements, 4 * small.macs)


def test_the_batch_is_the_largest_that_fits():
    facts = facts_of(train=5000, **of_size(512, 512))
    given_ = {"model_options": {"filters": 16}, "input_height": 512, "input_width": 512}
    batches = []
    for memory in (20, 9, 5, 3.3):
        budget = replace(GPU, memory_gb=memory)
        plan = propose(facts, budget, given_).plan
        batches.append(plan.fit.batch)
        assert plan.fit.memory_gb <= memory
        twice = training_gb(plan.fit.cost, 2 * 512**2, 2 * plan.fit.batch, budget)
        assert plan.fit.batch == 16 or twice > memory
    assert batches == [16, 8, 4, 2]


@pytest.mark.parametrize(
    ("budget", "changes", "message"),
    [
        (Budget(1.0), {}, r"^1 GB of memory are too little: unet with filters 8.* at 32x32"),
        (Budget(8, 0.01), {}, r"^0.01 minutes are too little: one epoch of unet .* at 32x32"),
        (CPU, {"train": 1}, "^own: the training images, 1 in all, are fewer than a batch of 2"),
        (CPU, with_shares(0, 0), "^own: no pixel of the training label maps counts"),
    ],
)
def test_what_is_too_little_is_said_in_a_sentence(budget, changes, message):
    with pytest.raises(ValueError, match=message) as error:
        propose(facts_of(**changes), budget)
    assert "\n" not in str(error.value)


def test_less_time_makes_the_run_smaller():
    facts = facts_of(train=2000, **of_size(512, 512))
    plans = [propose(facts, replace(CPU, minutes=m)).plan for m in (2000, 120, 30, 5)]
    for plan, minutes in zip(plans, (2000, 120, 30, 5), strict=True):
        assert plan.enough
        assert plan.minutes <= minutes
        assert plan.epochs >= 1
    pixels = [plan.fit.size[0] * plan.fit.size[1] for plan in plans]
    assert pixels[0] == 512**2 > pixels[-1]
    work = [plan.epochs * plan.steps * plan.fit.cost.macs for plan in plans]
    assert work == sorted(work, reverse=True)


def test_a_faster_machine_gets_more_steps():
    plans = [
        propose(facts_of(), replace(CPU, minutes=20, macs_per_second=rate)).plan
        for rate in (10e9, 40e9)
    ]
    slow, fast = (plan.epochs * plan.steps * plan.fit.cost.macs for plan in plans)
    assert fast > slow


def test_shrinking_and_hours_are_worth_a_note():
    notes = " ".join(propose(facts_of(**of_size(3000, 4000)), CPU).notes)
    assert "images shrink from 3000x4000 to 384x512" in notes
    assert "takes about" in notes
    assert "--encoder_weights imagenet" in notes


@pytest.mark.parametrize("loss", ["cl_dice", "ce_dice", "edge_weighted_ce"])
def test_speed_is_measured_with_every_kind_of_loss(loss):
    given = {"loss": loss, "input_height": 32, "input_width": 32, "train_batch_size": 2}
    options = {"model_options": {"filters": 2, "levels": 2}}
    assert measure_rate(propose(facts_of(), CPU, {**given, **options})) > 0
