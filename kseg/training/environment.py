"""What a run was made with, for whoever wants to repeat it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from kseg import __version__
from kseg.files import replacing

_PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "pillow")


def write_environment(path: Path, seed: int) -> None:
    """Write versions, backend, devices, seed, command and git revision as JSON."""
    with replacing(path) as draft:
        draft.write_text(json.dumps(_describe(seed), indent=2) + "\n", "utf-8")


def _describe(seed: int) -> dict[str, Any]:
    return {
        "kseg": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": keras.backend.backend(),
        "devices": _devices(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "seed": seed,
        "command": sys.argv,
        "git_revision": _git_revision(),
    }


def _devices() -> list[str]:
    if keras.backend.backend() == "torch":  # where Keras has no device list
        return [str(keras.ops.zeros(1).device)]
    return [str(device) for device in keras.distribution.list_devices()]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None
