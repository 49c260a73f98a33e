"""What a start may change in a run that it resumes in the middle."""

from dataclasses import replace

import keras
import pytest

from kseg.config import TrainConfig
from kseg.config.parse import save_config
from kseg.runs import RunFolder
from kseg.training import train
from kseg.training.distribution import Job
from kseg.training.resuming import refuse_changes
from kseg.training.trainer import prepare
from tests.training.cases import settings


def resumed(config):
    """A run as `kseg train` is about to train it on."""
    return prepare(config, RunFolder(config.run_path), Job())


@pytest.fixture(scope="module")
def begun(parts_root, tmp_path_factory):
    """A function that resumes a run after the first of two epochs, without training on."""
    folder = tmp_path_factory.mktemp("weights")
    train(settings(parts_root, folder, epochs=1))

    return lambda **changes: resumed(
        settings(parts_root, folder, resume="last", **{"epochs": 2, **changes})
    )


def test_the_flag_of_this_start_decides_about_xla(begun):
    assert begun(jit="on").model.jit_compile is True
    assert begun(jit="off").model.jit_compile is False
    chosen = keras.backend.backend() == "jax"
    assert begun(jit="auto").model.jit_compile is chosen


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ema": 0.9}, "--ema is 0.9, but the run to resume has 0.0; leave the flag out, or start"),
        ({"weight_decay": 0.1}, "--weight_decay is 0.1, but the run to resume has None"),
        ({"clip_norm": 1.0}, "--clip_norm is 1.0, but the run to resume has None"),
        ({"accumulate": 2}, "--accumulate is 2, but the run to resume has 1"),
        ({"optimizer_name": "sgd"}, "--optimizer_name is sgd, but the run to resume has adam"),
        ({"precision": "mixed_bfloat16"}, "--precision is mixed_bfloat16, but the run to resume"),
        ({"aux_weight": 0.1}, "--aux_weight is 0.1, but the run to resume has 0.4"),
        ({"encoder": "resnet18"}, "--encoder is resnet18, but the run to resume has None"),
        ({"model_options": {"filters": 8}}, "--model_options is {'filters': 8}, but the run to"),
        ({"freeze_epochs": 2}, "--freeze_epochs is 2, but the run to resume has 0"),
        ({"lr_schedule": "plateau"}, "--lr_schedule plateau: the run to resume has begun with a"),
        ({"lr_schedule": "constant"}, "--lr_schedule constant: the run to resume has begun with"),
    ],
)
def test_what_cannot_change_any_more_is_refused(changes, message, begun):
    with pytest.raises(ValueError, match=message):
        begun(**changes)


def test_what_a_run_may_change_is_applied(begun):
    fitting = begun(epochs=5, learning_rate=0.5, train_batch_size=2, optimizer_name="Adam")
    schedule = fitting.model.optimizer.get_config()["learning_rate"]["config"]
    assert schedule["warmup_target"] == 0.5
    assert schedule["decay_steps"] + schedule["warmup_steps"] == 5 * len(fitting.training)


@pytest.fixture(scope="module")
def plain(parts_root, tmp_path_factory):
    """The settings of a run without a schedule of every step, after its first epoch."""
    config = settings(
        parts_root, tmp_path_factory.mktemp("weights"), epochs=1, lr_schedule="constant"
    )
    train(config)
    return replace(config, epochs=2, resume="last")


def test_a_plain_learning_rate_is_that_of_the_settings(plain):
    def rate(**changes):
        config = replace(plain, **changes)
        return float(resumed(config).model.optimizer.learning_rate)

    assert rate() == pytest.approx(0.001)
    assert rate(learning_rate=0.25) == 0.25
    assert rate(lr_schedule="plateau") == pytest.approx(0.001)
    with pytest.raises(ValueError, match="--learning_rate is 0.25, but the run to resume has None"):
        rate(lr_schedule="plateau", learning_rate=0.25)


def test_a_new_phase_may_have_another_optimizer(tmp_path):
    run, two_phases = RunFolder(tmp_path), TrainConfig(freeze_epochs=3, epochs=9)
    save_config(two_phases, run.config)
    other = replace(two_phases, ema=0.9)
    refuse_changes(other, run, 3)
    with pytest.raises(ValueError, match="--ema is 0.9"):
        refuse_changes(other, run, 4)
    refuse_changes(replace(two_phases, freeze_epochs=5), run, 2)
    with pytest.raises(ValueError, match="--freeze_epochs is 5, but the run to resume has 3"):
        refuse_changes(replace(two_phases, freeze_epochs=5), run, 4)
