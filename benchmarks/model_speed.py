"""Speed, memory and cost of models and their peers of PyTorch, in turn, for one `KERAS_BACKEND`.

Each network has a process of its own. Everything starts from uint8 images on the host: a training
step ends with the loss as a number, a prediction with uint8 labels on the host.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from architectures import has_peer, split_name, usual_models
from jsonargparse import auto_cli
from machine import usual_backend
from result_files import merge_rows, read_rows
from turns import Contestant, OtherWork, contestant, in_turns

RESULT = "model_speed.csv"
KEY = ("model", "encoder", "network", "precision", "size", "batch", "predict_size", "device")
PEER_WAYS = ("eager", "channels_last", "compile")
# Predictions of single images are counted one by one; a mean of few says nothing of a p95.
_LATENCY_TURNS = 2


def main(
    models: list[str] | None = None,
    precisions: list[str] | None = None,
    size: int = 512,
    batch: int = 32,
    predict_size: int | None = None,
    backends: list[str] | None = None,
    peers: bool = True,
    ways: list[str] | None = None,
    seconds: float = 3.0,
    rounds: int = 3,
    minutes: float | None = None,
    again: bool = False,
    result: str = RESULT,
) -> None:
    """Measure the models that have no row yet, and keep a row for each network.

    Args:
        models: Registered names, with an encoder as `unet:resnet50`; by default every registered
            model and those that have a peer.
        precisions: "float32" and "mixed_bfloat16"; by default both.
        size: Height and width of the training images.
        batch: Images of a training step and of a predicted batch.
        predict_size: Height and width of the predicted images, by default `size`.
        backends: Backends of Keras, by default that of `KERAS_BACKEND`.
        peers: Measure the networks of PyTorch that a model can be compared with too.
        ways: How these run: "eager", "channels_last", "compile"; by default all.
        seconds: Length of a turn.
        rounds: Turns of each network.
        minutes: Begin no further model after this time.
        again: Measure models that have rows, too.
        result: Name of the result file.
    """
    start = time.monotonic()
    for model in models or usual_models():
        for precision in precisions or ("float32", "mixed_bfloat16"):
            spec = spec_of(model, precision, size, batch)
            networks = networks_of(spec, backends, (ways or PEER_WAYS) if peers else ())
            done = [] if again else read_rows(result)
            if minutes is not None and time.monotonic() - start > 60 * minutes:
                print(f"{model} and what follows are left for the next call", flush=True)
                return
            if is_done(spec, predict_size or size, networks, done):
                continue
            rows = measure(spec, predict_size or size, networks, seconds, rounds)
            merge_rows(result, KEY, rows)
            for row in rows:
                print(row, flush=True)


def spec_of(model: str, precision: str, size: int, batch: int) -> dict[str, Any]:
    """Return what all networks of a comparison have in common."""
    name, encoder = split_name(model)
    return {
        "model": name,
        "encoder": encoder,
        "classes": 2,
        "precision": precision,
        "size": size,
        "batch": batch,
    }


def networks_of(
    spec: dict[str, Any], backends: Sequence[str] | None, ways: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return name, way and backend of each network that takes part."""
    ours = {
        f"kseg {name}": {"way": "kseg", "backend": name} for name in backends or [usual_backend()]
    }
    if not has_peer(spec["model"], spec["encoder"]):
        return ours
    return ours | {f"torch {way}": {"way": way, "backend": ""} for way in ways}


def is_done(
    spec: dict[str, Any], predict_size: int, networks: dict[str, Any], rows: list[dict[str, str]]
) -> bool:
    """Tell whether every network has a row, from any device."""
    keys = {tuple(row[name] for name in KEY[:-1]) for row in rows}
    common = {**spec, "encoder": spec["encoder"] or "", "predict_size": predict_size}
    wanted = ({**common, "network": network} for network in networks)
    return all(tuple(str(one[name]) for name in KEY[:-1]) in keys for one in wanted)


def measure(
    spec: dict[str, Any],
    predict_size: int,
    networks: dict[str, dict[str, str]],
    seconds: float,
    rounds: int,
) -> list[dict[str, Any]]:
    """Return a row for each network; one that fails has the reason instead of figures."""
    rows: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        started = []
        for name, network in networks.items():
            variables = {"KERAS_BACKEND": network["backend"]} if network["backend"] else {}
            own = contestant(name, {**spec, "way": network["way"]}, variables)
            one = stack.enter_context(own)
            started.append(one)
            row = {**spec, "encoder": spec["encoder"] or "", "network": name}
            rows[name] = {**row, "predict_size": predict_size, **(one.ask("about") or {})}
            rows[name]["first_step_seconds"] = rounded(one.ask("first_step"), 2)
        check_same_network(rows.values())
        others = OtherWork(started)
        train(started, rows, seconds, rounds)
        predict(started, rows, (predict_size, spec["batch"]), seconds, rounds)
        for one in started:
            rows[one.name]["other_work_percent"] = others.percent()
            rows[one.name]["error"] = one.error
    return compared(list(rows.values()))


def check_same_network(rows: Sequence[dict[str, Any]]) -> None:
    """Raise ValueError where a network without an encoder has other weights than the first."""
    counts = {row["network"]: row["parameters"] for row in rows if "parameters" in row}
    if not any(row["encoder"] for row in rows) and len(set(counts.values())) > 1:
        raise ValueError(f"these are not the same network: weights {counts}")


def train(
    contestants: Sequence[Contestant], rows: dict[str, Any], seconds: float, rounds: int
) -> None:
    """Measure training steps in turn, then `fit`, and what memory it took."""
    times = in_turns(contestants, "train", seconds=seconds, rounds=rounds)
    for one in contestants:
        row, taken = rows[one.name], times[one.name]
        if taken:
            row["step_ms"] = rounded(1000 * statistics.median(taken), 2)
            row["train_images_per_second"] = rounded(row["batch"] / statistics.median(taken), 2)
        row["fit_images_per_second"] = rounded(one.ask("fit", seconds=seconds), 2)
        row["peak_memory_mb"] = rounded(one.ask("memory_mb"))


def predict(
    contestants: Sequence[Contestant],
    rows: dict[str, Any],
    shape: tuple[int, int],
    seconds: float,
    rounds: int,
) -> None:
    """Measure batches, and then single images, in turn."""
    size, batch = shape
    for count, turns in ((batch, rounds), (1, rounds * _LATENCY_TURNS)):
        for one in contestants:
            first = one.ask("first_prediction", size=size, batch=count)
            rows[one.name].setdefault("first_prediction_seconds", rounded(first, 2))
        times = in_turns(contestants, "predict", seconds=seconds, rounds=turns)
        for name, taken in times.items():
            if taken and count == batch:
                speed = count / statistics.median(taken)
                rows[name]["predict_images_per_second"] = rounded(speed, 2)
            if taken and count == 1:
                late = sorted(taken)[int(0.95 * (len(taken) - 1))]
                rows[name]["latency_p50_ms"] = rounded(1000 * statistics.median(taken), 2)
                rows[name]["latency_p95_ms"] = rounded(1000 * late, 2)


def rounded(value: float | None, digits: int | None = None) -> float | str:
    """Return a rounded number, and nothing where there is none."""
    return "" if value is None else round(value, digits)


def compared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add how fast each network is beside the fastest of PyTorch's in this run, if there is one."""
    for task in ("train", "predict"):
        name = f"{task}_images_per_second"
        peers = [row[name] for row in rows if row["network"].startswith("torch") and name in row]
        for row in rows:
            if peers and name in row:
                row[f"{task}_over_torch"] = round(row[name] / max(peers), 3)
    return rows


if __name__ == "__main__":
    auto_cli(main)
