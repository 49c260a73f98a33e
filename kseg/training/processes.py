"""Which of several processes this one is: flags say it, or the program that started them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from kseg.config import TrainConfig

# Even ports: the next one is `Link`'s.
_SLURM_FIRST_PORT, _SLURM_PORTS = 61440, 2048
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Place:
    """The place of a process among all of a run.

    Attributes:
        rank: Its number, from 0.
        count: How many there are.
        coordinator: HOST:PORT of process 0, "" for a single process.
    """

    rank: int = 0
    count: int = 1
    coordinator: str = ""

    def __str__(self) -> str:
        """Name it for messages."""
        return f"process {self.rank} of {self.count}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of process 0."""
        host, _, port = self.coordinator.rpartition(":")
        return host.strip("[]"), int(port)


def find_place(config: TrainConfig, environment: Mapping[str, str] = os.environ) -> Place:
    """Return the place that the flags give, else torchrun's or Slurm's variables, else alone.

    Raises:
        ValueError: Variables that do not go together.
    """
    if config.num_processes is not None:
        return _checked(
            Place(config.process_id or 0, config.num_processes, config.coordinator or "")
        )
    if "WORLD_SIZE" in environment and "RANK" in environment:
        return _checked(_of_torchrun(environment))
    # Without a step this is the batch script itself, and nobody else was started.
    if "SLURM_STEP_NODELIST" in environment and "SLURM_PROCID" in environment:
        return _checked(_of_slurm(environment))
    return Place()


def _checked(place: Place) -> Place:
    if place.count == 1:
        return Place()
    if not 0 <= place.rank < place.count:
        raise ValueError(
            f"the number of this process is {place.rank}, but {place.count} processes are numbered "
            f"0 to {place.count - 1}"
        )
    if not 0 < place.address[1] < _HIGHEST_PORT:
        raise ValueError(
            f"process 0 is at {place.coordinator}: its port and the next one are needed, so that "
            f"it must be from 1 to {_HIGHEST_PORT - 1}"
        )
    return place


def _of_torchrun(environment: Mapping[str, str]) -> Place:
    rank, count = _number(environment, "RANK"), _number(environment, "WORLD_SIZE")
    if count == 1:
        return Place()
    host, port = environment.get("MASTER_ADDR"), environment.get("MASTER_PORT")
    if not (host and port):
        raise ValueError(
            f"WORLD_SIZE is {count}, but MASTER_ADDR and MASTER_PORT are not both set; set them, "
            "or give --num_processes 1 to train in this process alone"
        )
    # torchrun itself listens on its port.
    taken = environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    return Place(rank, count, f"{host}:{_number(environment, 'MASTER_PORT') + taken}")


def _number(environment: Mapping[str, str], name: str) -> int:
    try:
        return int(environment[name])
    except ValueError:
        raise ValueError(
            f"the variable {name} must be a whole number, got {environment[name]!r}; unset it, or "
            "give --num_processes 1 to train in this process alone"
        ) from None


def _of_slurm(environment: Mapping[str, str]) -> Place:
    count = environment.get("SLURM_STEP_NUM_TASKS") or environment.get("SLURM_NTASKS") or "1"
    port = _SLURM_FIRST_PORT + 2 * (int(environment.get("SLURM_JOB_ID", 0)) % _SLURM_PORTS)
    host = first_host(environment["SLURM_STEP_NODELIST"])
    return Place(int(environment["SLURM_PROCID"]), int(count), f"{host}:{port}")


def first_host(nodes: str) -> str:
    """Return the first host of a list such as `node[003-007,9],other`."""
    prefix, numbers, suffix = re.match(r"([^\[,]*)(?:\[([^\]]*)\])?([^,]*)", nodes).groups()  # type: ignore[union-attr]
    return prefix + re.split("[,-]", numbers or "")[0] + suffix


def choose_gpu(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the number of the GPU of this process where several share a machine, as torchrun does.

    None where nothing says which, or where this process sees its own GPU only.
    """
    local = environment.get("LOCAL_RANK")
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if local is None or (visible is not None and int(local) >= len(visible.split(","))):
        return None
    return local
