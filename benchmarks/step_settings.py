"""The training step of the same network with each backend and its settings, in turn."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from architectures import PLAIN, split_name
from jsonargparse import auto_cli
from result_files import merge_rows
from turns import OtherWork, contestant, in_turns

RESULT = "step_settings.csv"
KEY = ("network", "model", "encoder", "precision", "size", "batch", "device")
DEFAULT = "kseg tensorflow"
_TENSORFLOW = {"KERAS_BACKEND": "tensorflow"}
# As `kseg.memory` leaves it alone then, and as it would set it.
_GIVEN_BACK = {"GLIBC_TUNABLES": ""}
_KEPT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
}
# Name, way, further parts of the spec, environment variables.
NETWORKS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    DEFAULT: ("kseg", {}, _TENSORFLOW),
    "kseg tensorflow, layers of Keras": (
        "kseg",
        {"kernels": "keras"},
        _TENSORFLOW,
    ),
    "kseg tensorflow, XLA": ("kseg", {"jit": "on"}, _TENSORFLOW),
    "kseg tensorflow, oneDNN": (
        "kseg",
        {},
        {**_TENSORFLOW, "TF_ENABLE_ONEDNN_OPTS": "1"},
    ),
    "kseg tensorflow, no oneDNN": (
        "kseg",
        {},
        {**_TENSORFLOW, "TF_ENABLE_ONEDNN_OPTS": "0"},
    ),
    "kseg tensorflow, memory given back": (
        "kseg",
        {},
        {**_TENSORFLOW, **_GIVEN_BACK},
    ),
    "kseg tensorflow, no oneDNN, memory given back": (
        "kseg",
        {},
        {**_TENSORFLOW, "TF_ENABLE_ONEDNN_OPTS": "0", **_GIVEN_BACK},
    ),
    "kseg tensorflow, one thread": (
        "kseg",
        {},
        {**_TENSORFLOW, "TF_NUM_INTRAOP_THREADS": "1"},
    ),
    "kseg tensorflow, bfloat16": (
        "kseg",
        {"precision": "mixed_bfloat16"},
        _TENSORFLOW,
    ),
    "kseg tensorflow, bfloat16, layers of Keras": (
        "kseg",
        {"precision": "mixed_bfloat16", "kernels": "keras"},
        _TENSORFLOW,
    ),
    "kseg jax": ("kseg", {}, {"KERAS_BACKEND": "jax"}),
    "kseg jax, memory given back": ("kseg", {}, {"KERAS_BACKEND": "jax", **_GIVEN_BACK}),
    "kseg torch": ("kseg", {}, {"KERAS_BACKEND": "torch"}),
    "kseg torch, memory given back": ("kseg", {}, {"KERAS_BACKEND": "torch", **_GIVEN_BACK}),
    "torch eager": ("eager", {}, {}),
    "torch channels_last": ("channels_last", {}, {}),
    "torch channels_last, memory kept": ("channels_last", {}, _KEPT),
    "torch channels_last, bfloat16": ("channels_last", {"precision": "mixed_bfloat16"}, {}),
    "torch compile": ("compile", {}, {}),
}


def main(
    networks: list[str] | None = None,
    model: str = PLAIN,
    size: int = 128,
    batch: int = 4,
    precision: str = "float32",
    seconds: float = 2.0,
    rounds: int = 3,
    result: str = RESULT,
) -> None:
    """Measure them in turn and keep a row for each, beside the rows of earlier runs.

    Args:
        networks: Keys of `NETWORKS`; all are compared with the first, which should be the default
            in each run. By default all at once, for which the memory must suffice.
        model: Registered name, with an encoder as `unet:resnet50`; the networks of PyTorch are
            there for `unet` alone.
        size: Height and width of the images.
        batch: Images of a step.
        precision: "float32" or "mixed_bfloat16".
        seconds: Length of a turn.
        rounds: Turns of each.
        result: Name of the result file.
    """
    name, encoder = split_name(model)
    shared = {"model": name, "encoder": encoder, "classes": 2}
    shared |= {"precision": precision, "size": size, "batch": batch}
    rows: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        started = []
        for name in networks or list(NETWORKS):
            way, more, variables = NETWORKS[name]
            own = contestant(name, {**shared, **more, "way": way}, variables)
            one = stack.enter_context(own)
            about = one.ask("about") or {}
            own_precision = more.get("precision", precision)
            rows[name] = {"network": name, **shared, **about, "precision": own_precision}
            one.ask("first_step")
            print(rows[name], one.error, flush=True)
            started.append(one)
        others = OtherWork(started)
        times = in_turns(started, "train", seconds=seconds, rounds=rounds)
        shared = {"other_work_percent": others.percent()}
        errors = [f"{one.name}: {one.error}" for one in started if one.error]
    print(*errors, sep="\n", flush=True)
    steps = {name: statistics.median(taken) for name, taken in times.items() if taken}
    first = next(iter(steps.values()))
    kept = []
    for name, step in steps.items():
        figures = {"step_ms": round(1000 * step, 1), "times": round(step / first, 3)}
        kept.append(
            {**rows[name], "encoder": encoder or "", **figures, **shared, "steps": len(times[name])}
        )
        print(name, figures, [round(one, 3) for one in times[name]], flush=True)
    merge_rows(result, KEY, kept)


if __name__ == "__main__":
    auto_cli(main)
