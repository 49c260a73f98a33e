"""Ray on this machine or on a cluster, and each worker's share of it."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

import kseg
from kseg.inference.engines.base import cores
from kseg.quiet import quiet_stderr

_STORE_BYTES = 256 * 2**20
# Chosen for the process that asks, or by its user.
_HANDED_ON = (
    "TF_ENABLE_ONEDNN_OPTS",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "XLA_FLAGS",
)

# Not the whole memory of a GPU, which several processes may share.
_SHARED_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def require_ray() -> None:
    """Raise where Ray Data is not installed.

    Raises:
        ValueError: With what to do.
    """
    if not all(importlib.util.find_spec(name) for name in ("ray", "pyarrow")):
        raise ValueError('engine "ray" needs Ray Data: pip install "kseg[ray]"')


@contextmanager
def connected(address: str | None, workers: int) -> Iterator[dict[str, Any]]:
    """Join a cluster, and leave it in the end; give what each worker takes of it.

    Where this process is in a cluster already, it stays there.

    Args:
        address: Address of the cluster; None starts one on this machine for this time alone.
        workers: Number of workers that it will have.

    Raises:
        ValueError: There is no cluster, or it is too small.
    """
    import ray.data

    joins = not ray.is_initialized()
    if joins:
        _join(address, workers)
    try:
        with _quiet(logging.getLogger("ray.data")):
            yield _share(workers, local=joins and address is None)
    except ray.exceptions.RayError as error:
        logs = "see /tmp/ray/session_latest/logs"
        raise ValueError(f"Ray gave up: {str(error).splitlines()[0]} ({logs})") from error
    finally:
        if joins:
            ray.shutdown()


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Let a logger write its files only."""
    on_screen = [one for one in logger.handlers if isinstance(one, logging.StreamHandler)]
    levels = [handler.level for handler in on_screen]
    for handler in on_screen:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(on_screen, levels, strict=True):
            handler.setLevel(level)


def _join(address: str | None, workers: int) -> None:
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    options: dict[str, Any] = {"address": address}
    if address is None:
        options = {
            "address": "local",
            "num_cpus": workers,
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        with quiet_stderr():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        if address is None:
            raise
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{address}: no Ray cluster answers here ({reason}); if it is there, see whether its "
            "token is in RAY_AUTH_TOKEN"
        ) from None


def _share(workers: int, *, local: bool) -> dict[str, Any]:
    """Return a worker's options for Ray: its cores, GPUs and environment."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    share = largest_share([int(node.get("CPU", 0)) for node in nodes], workers)
    threads = max(1, cores() // workers) if local else share
    gpus = sum(int(node.get("GPU", 0)) for node in nodes)
    return {
        "num_cpus": share,
        # Several workers on one GPU take their turns.
        "num_gpus": 1 / math.ceil(workers / gpus) if gpus else 0,
        "runtime_env": {"env_vars": _environment(threads)},
    }


def share_devices() -> None:
    """Leave room on a GPU for workers beside this process, which must not have used one yet."""
    for name, value in _SHARED_GPU.items():
        os.environ.setdefault(name, value)


def largest_share(counts: list[int], workers: int) -> int:
    """Return how many CPUs each worker can have; a worker's CPUs are of one machine."""
    for share in range(sum(counts) // workers, 0, -1):
        if sum(count // share for count in counts) >= workers:
            return share
    raise ValueError(f"{workers} workers need as many CPUs, but Ray has {sum(counts)} here")


def _environment(threads: int) -> dict[str, str]:
    counts = (
        "OMP_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        # Of JAX.
        "NPROC",
    )
    above = str(Path(kseg.__file__).parents[1])
    return {
        **{name: os.environ[name] for name in _HANDED_ON if name in os.environ},
        **dict.fromkeys(counts, str(threads)),
        "KERAS_BACKEND": keras.backend.backend(),
        "PYTHONPATH": os.pathsep.join(filter(None, [above, os.environ.get("PYTHONPATH")])),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **_SHARED_GPU,
    }
