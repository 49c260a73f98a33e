import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from kseg.config import UsageError, parse_config
from kseg.config.train import TrainConfig
from kseg.data import open_dataset
from kseg.data.batches import Batches
from kseg.inference.model_file import load_model
from kseg.launch import free_port
from kseg.runs import RunFolder
from kseg.training import link as link_module
from kseg.training.distribution import joined
from kseg.training.link import Link
from kseg.training.processes import Place, choose_gpu, find_place, first_host
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


def test_a_batch_that_cannot_be_split_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1", "gpu:2"])
    for name, options in (("training", {}), ("validation", {"train_batch_size": 6})):
        config = TrainConfig(devices="all", **options)
        message = f"the {name} batch of 4 images cannot be split over 3 devices; choose a multiple"
        with pytest.raises(ValueError, match=message), joined(config):
            pass
    with joined(TrainConfig(devices=2)) as job:
        assert (job.devices, job.shard, job.leads) == (2, (0, 1), True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--devices=0"], "--devices must be at least 1, got 0"),
        (["--devices=some"], "--devices: "),
        (["--num_processes=2"], "--num_processes, --process_id and --coordinator go together"),
        (["--process_id=1"], "--num_processes, --process_id and --coordinator go together"),
        (["--num_processes=2", "--process_id=2", "--coordinator=h:1"], "must be below"),
        (["--num_processes=2", "--process_id=1", "--coordinator=h"], "must be HOST:PORT"),
        (["--num_processes=2", "--process_id=1", "--coordinator=h:65535"], "must be HOST:PORT"),
    ],
)
def test_a_bad_place_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        parse_config(TrainConfig, wrong)


def test_the_place_is_that_of_the_flags_or_of_what_started_the_process():
    place = {"num_processes": 4, "process_id": 3, "coordinator": "[::1]:90"}
    torchrun = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "80"}
    slurm = {"SLURM_NTASKS": "8", "SLURM_PROCID": "5", "SLURM_JOB_ID": "4099"}
    step = {**slurm, "SLURM_STEP_NODELIST": "n[07-09,12]"}
    config = TrainConfig()
    assert find_place(TrainConfig(**place), torchrun) == Place(3, 4, "[::1]:90")
    assert find_place(TrainConfig(**place)).address == ("::1", 90)
    assert find_place(config, torchrun) == Place(1, 2, "a:80")
    agent = {**torchrun, "TORCHELASTIC_USE_AGENT_STORE": "True"}
    assert find_place(config, agent) == Place(1, 2, "a:81")
    # 4099 % 2048 = 3, and 61440 + 2 * 3 = 61446
    assert find_place(config, step) == Place(5, 8, "n07:61446")
    assert find_place(config, slurm) == find_place(config, {}) == Place()
    assert find_place(TrainConfig(num_processes=1), step) == Place()
    with pytest.raises(ValueError, match="WORLD_SIZE is 2, but MASTER_ADDR and MASTER_PORT are"):
        find_place(config, {"WORLD_SIZE": "2", "RANK": "0"})
    with pytest.raises(ValueError, match="this process is 2, but 2 processes are numbered 0 to 1"):
        find_place(config, {**torchrun, "RANK": "2"})


@pytest.mark.parametrize(
    ("nodes", "host"),
    [
        ("a", "a"),
        ("a,b", "a"),
        ("n[003-007,9],o", "n003"),
        ("n[1,2]-x", "n1-x"),
        ("a1,n[1-2]", "a1"),
    ],
)
def test_the_first_host_of_a_list_is_found(nodes, host):
    assert first_host(nodes) == host


def test_each_process_of_a_machine_takes_its_gpu():
    assert choose_gpu({"LOCAL_RANK": "1"}) == "1"
    assert choose_gpu({"LOCAL_RANK": "1", "CUDA_VISIBLE_DEVICES": "4,5"}) == "1"
    # It was given one GPU of its own already.
    assert choose_gpu({"LOCAL_RANK": "1", "CUDA_VISIBLE_DEVICES": "5"}) is None
    assert choose_gpu({}) is None


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


class Linked:
    """Linked processes, each played by a thread, and what they gave up with."""

    def __init__(self, count):
        self.address = f"127.0.0.1:{free_port()}"
        self.sentences = [[] for _ in range(count)]
        self.links = [None] * count
        threads = [threading.Thread(target=self._open, args=(r, count)) for r in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _open(self, rank, count):
        place = Place(rank, count, self.address)
        self.links[rank] = Link(place, self.sentences[rank].append, patience=20)

    def wait_for_sentences(self, *ranks):
        deadline = time.monotonic() + 20
        while not all(self.sentences[rank] for rank in ranks):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return [self.sentences[rank] for rank in ranks]


def hang_up(link):
    """What the kernel does for a killed process, which says nothing any more."""
    link._over.set()
    for peer in link._peers:
        peer._connection.shutdown(socket.SHUT_RDWR)


def test_all_are_told_who_was_lost():
    linked = Linked(3)
    hang_up(linked.links[2])
    assert linked.wait_for_sentences(0, 1) == [["process 2 of 3 was lost"]] * 2


def test_a_lost_first_process_is_noticed_by_all():
    linked = Linked(3)
    hang_up(linked.links[0])
    assert linked.wait_for_sentences(1, 2) == [["process 0 of 3 was lost"]] * 2


def test_a_silent_process_counts_as_lost(monkeypatch):
    monkeypatch.setattr(link_module, "SILENCE", 0.4)
    monkeypatch.setattr(link_module, "BEAT", 0.05)
    linked = Linked(2)
    linked.links[1]._over.set()  # sends nothing any more
    (sentences,) = linked.wait_for_sentences(0)
    assert sentences[0].startswith("process 1 of 2 gave no sign of life for 0 s")


def test_an_error_of_one_is_told_to_all_others():
    linked = Linked(3)
    linked.links[1].fail("process 1 of 3 ended with an error")
    expected = [["process 1 of 3 ended with an error"]] * 2
    assert linked.wait_for_sentences(0, 2) == expected
    assert not linked.sentences[1]


def test_the_others_wait_for_the_first_one_and_end_with_it():
    linked, order = Linked(2), []

    def second():
        linked.links[1].wait_for_first()
        order.append("goes on")
        linked.links[1].finish()
        order.append("ended")

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.1)
    order.append("ready")
    linked.links[0].first_is_ready()
    time.sleep(0.1)
    order.append("done")
    linked.links[0].finish()
    thread.join(20)
    assert order == ["ready", "goes on", "done", "ended"]
    time.sleep(0.1)
    assert linked.sentences == [[], []]


def test_a_process_that_does_not_come_is_named():
    place = Place(0, 3, f"127.0.0.1:{free_port()}")
    with pytest.raises(ValueError, match=r"of 3 processes these did not come: \[1, 2\]"):
        Link(place, print, patience=0.2)
    with pytest.raises(ValueError, match="process 1 of 3 did not reach process 0 at 127.0.0.1"):
        Link(Place(1, 3, place.coordinator), print, patience=0.2)


def test_a_port_in_use_is_named():
    port = free_port()
    message = f"process 0 cannot listen on port {port + 1}"
    taken = socket.create_server(("127.0.0.1", port + 1))
    with taken, pytest.raises(ValueError, match=message):
        Link(Place(0, 2, f"127.0.0.1:{port}"), print)
