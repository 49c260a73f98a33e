"""Data parallel training: several devices of one machine, or several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import keras

from kseg.config import TrainConfig
from kseg.training.ending import ended_together, give_up
from kseg.training.link import Link
from kseg.training.phases import plan_phases
from kseg.training.processes import Place, choose_gpu, find_place

Value = TypeVar("Value")

_joined = False


class Job:
    """What this process does of a run.

    Attributes:
        place: This process among all.
        devices: How many devices each batch is split over, those of all processes together.
    """

    def __init__(self, place: Place | None = None, devices: int = 1, link: Link | None = None):
        self.place, self.devices, self._link = place or Place(), devices, link

    @property
    def leads(self) -> bool:
        """Whether this process writes and prints; one of each run does."""
        return self.place.rank == 0

    @property
    def shard(self) -> tuple[int, int]:
        """Number of this process, and how many there are."""
        return self.place.rank, self.place.count

    def one_first(self, work: Callable[[], Value]) -> Value:
        """Let process 0 do what leaves files behind, before the others find these files."""
        if self._link is None:
            return work()
        if not self.leads:
            self._link.wait_for_first()
            return work()
        result = work()
        self._link.first_is_ready()
        return result


@contextmanager
def joined(config: TrainConfig) -> Iterator[Job]:
    """Bring the processes and devices of a run together, and end them together.

    Models are built and trained in `data_parallel`; after it process 0 goes on alone with its own
    device while the others wait.

    Raises:
        ValueError: They did not come together, are not there, or a batch cannot be split.
    """
    place = find_place(config)
    if place.count == 1:
        yield Job(devices=_devices_of_one_process(config))
        return
    _require_jax("several processes need")
    _refuse_number_of_devices(config)
    link = Link(place, give_up(place))
    with ended_together(link, place):
        _join(place)
        devices = keras.distribution.get_device_count()
        _check_batches(config, devices)
        yield Job(place, devices, link)


@contextmanager
def data_parallel(job: Job) -> Iterator[None]:
    """Split every batch over the devices of the job."""
    if job.devices == 1:
        yield
        return
    devices = keras.distribution.list_devices()[: job.devices]
    distribution = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    with distribution.scope():
        yield


@contextmanager
def undistributed() -> Iterator[None]:
    """Let this process do something that the others do not: what it makes is its own."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def _join(place: Place) -> None:
    """Start the backend's own connection of the processes; once is enough for several runs."""
    global _joined  # noqa: PLW0603
    if _joined:
        return
    gpu = choose_gpu()
    if gpu is not None:
        os.environ.setdefault("JAX_LOCAL_DEVICE_IDS", gpu)
    host, port = place.address
    if host in ("localhost", "127.0.0.1"):
        os.environ.setdefault("JAX_COORDINATOR_BIND_ADDRESS", f"{host}:{port}")
    keras.distribution.initialize(place.coordinator, place.count, place.rank)
    _joined = True


def _devices_of_one_process(config: TrainConfig) -> int:
    wanted = "all" if config.multi_gpus else config.devices
    if wanted == 1:
        return 1
    flag = "--multi_gpus" if config.multi_gpus else f"--devices {wanted}"
    _require_jax(f"{flag} needs")
    found = keras.distribution.list_devices()
    fewest = 2 if wanted == "all" else int(wanted)
    if len(found) < fewest:
        raise ValueError(
            f"{flag} needs at least {fewest} devices, found {len(found)} ({', '.join(found)}); "
            "leave the flag out, or install JAX for your GPUs"
        )
    devices = len(found) if wanted == "all" else int(wanted)
    _check_batches(config, devices)
    return devices


def _require_jax(what: str) -> None:
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(
            f"{what} the JAX backend, this is {backend}: set KERAS_BACKEND=jax in the environment"
        )


def _refuse_number_of_devices(config: TrainConfig) -> None:
    if config.devices not in (1, "all"):
        raise ValueError(
            f"--devices {config.devices}: with several processes each uses all devices that it "
            "sees; leave the flag out, and choose with CUDA_VISIBLE_DEVICES"
        )


def _check_batches(config: TrainConfig, devices: int) -> None:
    sizes = {phase.batch_size: "training batch" for phase in plan_phases(config)}
    if config.validate:
        sizes.setdefault(config.val_batch_size, "validation batch")
    for size, name in sizes.items():
        if size % devices:
            raise ValueError(
                f"the {name} of {size} images cannot be split over {devices} devices; choose a "
                f"multiple of {devices}, batch sizes are those of all devices together"
            )
