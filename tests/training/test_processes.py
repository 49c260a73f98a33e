"""Which process of a job this one is, and what it takes."""

import keras
import pytest

from kseg.config import UsageError, parse_config
from kseg.config.train import TrainConfig
from kseg.training.distribution import joined
from kseg.training.processes import Place, choose_gpu, find_place, first_host


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
    ("change", "sentence"),
    [
        ({"WORLD_SIZE": "two"}, "variable WORLD_SIZE must be a whole number, got 'two'; unset it"),
        ({"RANK": ""}, "variable RANK must be a whole number, got ''"),
        ({"MASTER_PORT": "x"}, "variable MASTER_PORT must be a whole number, got 'x'"),
        ({"MASTER_PORT": "65535"}, "process 0 is at a:65535: .* it must be from 1 to 65534"),
        ({"MASTER_PORT": "0"}, "process 0 is at a:0: .* it must be from 1 to 65534"),
    ],
)
def test_variables_that_are_no_place_are_named(change, sentence):
    torchrun = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "80", **change}
    with pytest.raises(ValueError, match=sentence):
        find_place(TrainConfig(), torchrun)


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
