"""What a figure was measured on: device, versions, revision of the code."""

from __future__ import annotations

import datetime
import importlib.util
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

REVISION_VARIABLE = "KSEG_GIT_REVISION"
_ROOT = Path(__file__).resolve().parents[1]
_INSTRUCTIONS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX512-BF16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}


def describe(backend: str, device: str, packages: Sequence[str]) -> dict[str, str]:
    """Return the columns that say where a row comes from.

    Args:
        backend: Backend of Keras, or "torch" for a network written for PyTorch itself.
        device: The device as `device_name` says it.
        packages: Packages whose versions matter.
    """
    versions = {name: _version(name) for name in packages}
    return {
        "backend": backend,
        "device": device,
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
        "git_revision": git_revision(),
        "date": datetime.date.today().isoformat(),
    }


def usual_backend() -> str:
    """Return the backend that `kseg` takes: that of `KERAS_BACKEND`, else what is installed."""
    backends = ("tensorflow", "jax", "torch")
    installed = (name for name in backends if importlib.util.find_spec(name))
    return os.environ.get("KERAS_BACKEND") or next(installed)


def device_name(backend: str) -> str:
    """Return the name of the GPU that a backend works on, else that of the CPU and its cores."""
    return _GPU_NAMES[backend]() or f"{cpu_name()}, {os.cpu_count()} cores"


def cpu_name() -> str:
    """Return the processor's name and its widest instructions, by which figures differ most."""
    with Path("/proc/cpuinfo").open() as file:
        lines = [line.partition(":") for line in file]
    about = {name.strip(): value.strip() for name, _, value in lines}
    flags = about.get("flags", "").split()
    widest = next((name for flag, name in _INSTRUCTIONS.items() if flag in flags), None)
    name = about.get("model name", platform.machine())
    return f"{name} ({widest})" if widest else name


def git_revision() -> str:
    """Return the commit, marked "+" where files differ from it.

    Where the code is a copy without its history, `KSEG_GIT_REVISION` says it.
    """
    if REVISION_VARIABLE in os.environ:
        return os.environ[REVISION_VARIABLE]
    revision = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "kseg", "benchmarks/*.py")
    return f"{revision}+" if changed else revision


def is_cpu(device: str) -> bool:
    """Tell whether the name of a device is one of a CPU."""
    return device.endswith(" cores")


def _git(*words: str) -> str:
    try:
        result = subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, text=True)
    except OSError:
        return ""
    return result.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _of_tensorflow() -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else ""


def _of_jax() -> str:
    import jax

    device = jax.devices()[0]
    return "" if device.platform == "cpu" else device.device_kind


def _of_torch() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


_GPU_NAMES = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
