"""What a training may use of the machine."""

from __future__ import annotations

import math
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import keras

from kseg.inference.device import has_accelerator

DEFAULT_GB = 8.0
"""Taken where nothing tells the memory."""

_HOST_SHARE = 0.5
_GPU_SHARE = 0.9
_GPU_QUERY = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
# Limits of containers, version 2 and 1 of control groups.
_LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

# Multiply-adds per second of whole training steps on small U-Nets, on the careful side; a
# measurement replaces them.
_CORE_RATE = {"tensorflow": 10e9, "jax": 5e9, "torch": 4e9}
_MOST_CORES = 16
_GPU_RATE = 3e12


@dataclass(frozen=True)
class Budget:
    """What a training may use.

    Attributes:
        memory_gb: Memory of the device in GB of 10^9 bytes; on the CPU that of the whole process.
        minutes: Time for the whole run, None for as long as it takes.
        device: "cpu" or "gpu", which stands for any accelerator.
        cores: CPU cores.
        backend: Keras' backend.
        macs_per_second: Multiply-adds per second of training steps as they were measured; None
            for an assumption that is on the careful side.
    """

    memory_gb: float
    minutes: float | None = None
    device: Literal["cpu", "gpu"] = "cpu"
    cores: int = 2
    backend: str = field(default_factory=keras.backend.backend)
    macs_per_second: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("memory_gb", "minutes", "macs_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"the budget needs {name} above 0, got {value}")
        if self.device not in ("cpu", "gpu"):
            raise ValueError(f"the budget's device is 'cpu' or 'gpu', not {self.device!r}")

    @property
    def rate(self) -> float:
        """Multiply-adds per second of training steps, measured or assumed."""
        if self.macs_per_second is not None:
            return self.macs_per_second
        if self.device == "gpu":
            return _GPU_RATE
        return _CORE_RATE.get(self.backend, min(_CORE_RATE.values())) * min(self.cores, _MOST_CORES)


def machine_budget(minutes: float | None = None, memory_gb: float | None = None) -> Budget:
    """Return the budget of this machine.

    Memory is that of `host_memory_gb` or `gpu_memory_gb`.

    Args:
        minutes: Time for the whole run, None for as long as it takes.
        memory_gb: Another memory, in GB.

    Raises:
        ValueError: A value that is not above 0.
    """
    device = find_device()
    if memory_gb is None:
        memory_gb = gpu_memory_gb() if device == "gpu" else host_memory_gb()
    return Budget(memory_gb, minutes, device, count_cores())


def find_device() -> Literal["cpu", "gpu"]:
    """Return "gpu" where Keras computes on any accelerator."""
    return "gpu" if has_accelerator() else "cpu"


def count_cores() -> int:
    """Return the CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def host_memory_gb() -> float:
    """Return half of what the machine, its container and the process' limit leave, in GB."""
    limits = [limit for limit in (_physical(), *_container_limits(), _process_limit()) if limit]
    return _HOST_SHARE * min(limits) / 1e9 if limits else DEFAULT_GB


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows, and systems without these names
        return None


def _container_limits() -> list[int]:
    limits = []
    for file in map(Path, _LIMIT_FILES):
        try:
            limits.append(int(file.read_text("utf-8")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return limits


def _process_limit() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def gpu_memory_gb() -> float:
    """Return 0.9 of the memory of the smallest GPU that `nvidia-smi` lists, else 8, in GB."""
    try:
        done = subprocess.run(_GPU_QUERY, capture_output=True, text=True, timeout=20, check=True)
        smallest = min(int(line) for line in done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return DEFAULT_GB
    return _GPU_SHARE * smallest * 2**20 / 1e9
