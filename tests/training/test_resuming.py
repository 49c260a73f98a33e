"""What a start may change in a run that it resumes in the middle."""

import keras
import pytest

from kseg.runs import RunFolder
from kseg.training import train
from kseg.training.distribution import Job
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
