import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from kseg.config.train import TrainConfig
from kseg.data import open_dataset
from kseg.data.batches import Batches
from kseg.inference.model_file import load_model
from kseg.launch import free_port
from kseg.runs import RunFolder
from kseg.training.distribution import joined
from kseg.training.shards import EvenBatches
from tests.conftest import ROOT
from tests.training.cases import rows_of, settings

needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax")
# A process that finds no TensorFlow, which Keras would load for its seed, starts sooner.
NO_TENSORFLOW = """import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
"""


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    """16 + 5 + 2 images: the last validation batch is not full."""
    from kseg.data.parts import write_parts

    root = tmp_path_factory.mktemp("data")
    write_parts(root / "parts", size=(32, 32), train=16, val=5, test=2)
    return root


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """A function from a number of devices to the environment of a process on JAX."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(NO_TENSORFLOW)

    def environment(devices=1):
        flags = f"--xla_force_host_platform_device_count={devices}"
        return {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags, "PYTHONPATH": str(folder)}

    return environment


def flags(data_root, folder, **changes):
    """Flags of a U-Net with BatchNormalization; SGD does not enlarge rounding."""
    values = asdict(settings(data_root, folder))
    values |= {"model_options": {"filters": 4, "levels": 2}, "epochs": 3, "augment": "light"}
    values |= {"optimizer_name": "sgd", "learning_rate": 0.05, "jit": "auto", **changes}
    kept = {name: value for name, value in values.items() if value is not None}
    return [f"--{name}={v if isinstance(v, str) else json.dumps(v)}" for name, v in kept.items()]


def trainings(*runs):
    """Code that does several trainings one after the other."""
    lines = [f"run('train', {one!r}, prog='train.py')" for one in runs]
    return "\n".join(["from kseg.cli import run", *lines])


def end_of(folder):
    """Weights and last row of a run."""
    run = RunFolder(folder / "exp1" / "unet")
    model, info = load_model(run.last)
    # The batch that is filled up has another weight in `val_loss`.
    numbers = ("loss", "iou_score", "val_iou_score", "learning_rate")
    row = rows_of(run.metrics)[-1]
    return model.get_weights(), info.epochs, [float(row[name]) for name in numbers]


def assert_same_end(first, second):
    for one, other in zip(first[0], second[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=0)
    assert first[1] == second[1]
    np.testing.assert_allclose(first[2], second[2], atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def whole(data_root, on_jax, tmp_path_factory):
    """Folders of one run on one device and of the same one on two, made by one process."""
    folders = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")]
    runs = [flags(data_root, folder, devices=n) for n, folder in enumerate(folders, 1)]
    result = subprocess.run(
        [sys.executable, "-c", trainings(*runs)],
        cwd=ROOT,
        env={**os.environ, **on_jax(2)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return folders


@needs_jax
def test_two_devices_learn_like_one(whole):
    one, two = map(end_of, whole)
    assert_same_end(one, two)


@needs_jax
def test_two_processes_learn_like_one_and_write_once(
    whole, data_root, on_jax, tmp_path, run_script
):
    words = ["--processes", "2", "--", "train.py", *flags(data_root, tmp_path)]
    result = run_script(ROOT / "examples/launch.py", *words, **on_jax())
    assert result.returncode == 0, result.stderr
    assert_same_end(end_of(whole[0]), end_of(tmp_path))
    assert result.stdout.count("16 training, 5 validation and 2 test images") == 1
    runs = [folder / "exp1" / "unet" for folder in (whole[0], tmp_path)]
    assert [row["epoch"] for row in rows_of(runs[1] / "metrics.csv")] == ["1", "2", "3"]
    alone, together = (
        sorted(path.parent.relative_to(run) for path in run.rglob("*")) for run in runs
    )
    assert alone == together
    saved = (runs[1] / "config.yaml").read_text()
    assert "num_processes" not in saved
    assert "coordinator" not in saved


@needs_jax
@pytest.mark.full
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_others_and_one_alone_resumes(
    victim, data_root, on_jax, tmp_path, run_script
):
    run = RunFolder(tmp_path / "exp1" / "unet")
    address = f"127.0.0.1:{free_port()}"
    options = {"num_processes": 2, "coordinator": address, "epochs": 300, "augment": "light"}
    options |= {"lr_schedule": "constant"}
    processes = [
        subprocess.Popen(
            [sys.executable, ROOT / "examples/train.py"]
            + flags(data_root, tmp_path, process_id=rank, **options),
            env={**os.environ, **on_jax()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    while not run.last.is_file():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)
    processes[victim].kill()
    survivor = processes[1 - victim]
    _, error = survivor.communicate(timeout=60)
    processes[victim].communicate()
    assert survivor.returncode == 1
    assert error.count(f"error: process {victim} of 2 was lost, so this one ends too") == 1
    assert "Traceback" not in error
    epochs = load_model(run.last)[1].epochs + 1
    again = [f"--resume={run.path}", f"--epochs={epochs}"]
    straight = flags(data_root, tmp_path / "whole", lr_schedule="constant", epochs=epochs)
    result = run_script("-c", trainings(again, straight), **on_jax())
    assert result.returncode == 0, result.stderr
    assert_same_end(end_of(tmp_path), end_of(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("options", "flag"), [({"devices": 8}, "--devices 8"), ({"multi_gpus": True}, "--multi_gpus")]
)
def test_devices_that_are_not_there_are_refused(options, flag):
    backend = keras.backend.backend()
    message = f"{flag} needs the JAX backend, this is {backend}: set KERAS_BACKEND=jax"
    if backend == "jax":
        message = rf"{flag} needs at least \d devices, found 1 \(\w+:0\); leave the flag out"
    with pytest.raises(ValueError, match=message), joined(TrainConfig(**options)):
        pass


@pytest.mark.parametrize("weights", [None, {}])
def test_processes_share_a_validation_without_overlap_or_loss(weights, data_root):
    dataset = open_dataset("parts", str(data_root))
    options = {"batch_size": 4, "size": (32, 32), "pixel_weights": weights}
    batches = Batches(dataset, dataset.val, **options)
    shards = [EvenBatches(batches, (rank, 2), devices=4) for rank in range(2)]
    for index, (real, padded) in enumerate([(4, 4), (1, 4)]):
        expected = batches.batch(0, index)
        parts = [shard.batch(0, index) for shard in shards]
        assert [len(part[0]) for part in parts] == [padded // 2] * 2
        joint = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
        for one, other in zip(expected, joint, strict=True):
            np.testing.assert_allclose(one, other[:real], rtol=1e-6)
        assert (joint[1][real:] == dataset.void).all()
        assert all((one[real:] == 0).all() for one in joint[2:])


def test_processes_share_the_training_without_overlap(data_root):
    dataset = open_dataset("parts", str(data_root))
    whole = Batches(dataset, dataset.train, 8, (32, 32), shuffle=True, seed=3)
    parts = [replace(whole, batch_size=4, shard=(rank, 2)) for rank in range(2)]
    for index in range(2):
        joint = np.concatenate([part.batch(5, index)[0] for part in parts])
        np.testing.assert_array_equal(joint, whole.batch(5, index)[0])
