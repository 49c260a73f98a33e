"""Time and memory of a model from small images to large ones, and from one image to many."""

from __future__ import annotations

import statistics
import time
from typing import Any

from architectures import split_name
from jsonargparse import auto_cli
from machine import usual_backend
from result_files import merge_rows, read_rows
from turns import contestant

RESULT = "size_cost.csv"
KEY = ("model", "encoder", "precision", "task", "size", "batch", "backend", "device")
SIZES = (128, 256, 512, 1024, 2048)
BATCHES = (1, 4, 16, 64)
_SAME = ("model", "encoder", "precision", "task", "backend")


def main(
    model: str = "unet",
    precision: str = "float32",
    tasks: list[str] | None = None,
    sizes: list[int] | None = None,
    batches: list[int] | None = None,
    limit_gb: float = 8.0,
    limit_seconds: float = 20.0,
    seconds: float = 2.0,
    minutes: float | None = None,
    result: str = RESULT,
) -> None:
    """Measure each size and batch in a process of its own, until one costs too much.

    Where a batch costs too much at some size, larger ones of that size are not tried, nor is that
    batch at larger sizes. Rows that are there are kept and count for this.

    Args:
        model: Registered name, with an encoder as `unet:resnet50`.
        precision: "float32" or "mixed_bfloat16".
        tasks: "train" and "predict"; by default both.
        sizes: Heights and widths of the images.
        batches: Images at a time.
        limit_gb: Memory that the next case must be expected not to exceed.
        limit_seconds: Time for a step that the next case must be expected not to exceed.
        seconds: Time to measure each case for.
        minutes: Begin no further case after this time.
        result: Name of the result file.
    """
    start = time.monotonic()
    limits = (limit_seconds, limit_gb * 1000)
    for task in tasks or ("train", "predict"):
        for size in sizes or SIZES:
            for batch in batches or BATCHES:
                name, encoder = split_name(model)
                case = {"model": name, "encoder": encoder or "", "precision": precision}
                case |= {"task": task, "size": size, "batch": batch}
                case["backend"] = usual_backend()
                if minutes is not None and time.monotonic() - start > 60 * minutes:
                    return
                if known(case, read_rows(result)) or costs_too_much(
                    case, read_rows(result), limits
                ):
                    continue
                row = measure(case, seconds)
                print(row, flush=True)
                merge_rows(result, KEY, [row])


def known(case: dict[str, Any], rows: list[dict[str, str]]) -> bool:
    """Tell whether a case has a row."""
    return any(all(row[name] == str(case[name]) for name in case) for row in rows)


def costs_too_much(
    case: dict[str, Any], rows: list[dict[str, str]], limits: tuple[float, float]
) -> bool:
    """Tell whether a case is expected to take more time (s) or memory (MB) than the limits.

    The cost is taken to grow with the number of pixels from the largest measured case that is no
    larger in size or batch; a case that ended with an error costs too much.
    """
    smaller = [
        row
        for row in rows
        if all(row[name] == str(case[name]) for name in _SAME)
        and int(row["size"]) <= case["size"]
        and int(row["batch"]) <= case["batch"]
    ]
    if not smaller:
        return False
    if any(row["error"] for row in smaller):
        return True
    largest = max(smaller, key=lambda row: int(row["size"]) ** 2 * int(row["batch"]))
    growth = case["size"] ** 2 * case["batch"] / (int(largest["size"]) ** 2 * int(largest["batch"]))
    costs = float(largest["step_ms"]) / 1000, float(largest["added_memory_mb"])
    return any(cost * growth > limit for cost, limit in zip(costs, limits, strict=True))


def measure(case: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the row of a case; memory is what was added to a process that holds the model."""
    spec = {name: case[name] for name in ("model", "precision", "size", "batch")}
    spec |= {"encoder": case["encoder"] or None, "classes": 2, "way": "kseg"}
    with contestant(str(case), spec) as one:
        about = one.ask("about") or {}
        before = one.ask("memory_mb")
        if case["task"] == "train":
            first = one.ask("first_step")
        else:
            first = one.ask("first_prediction", size=case["size"], batch=case["batch"])
        taken = one.ask(case["task"], seconds=seconds)
        peak = one.ask("memory_mb")
        row = {**case, "error": one.error, **about}
        if one.error:
            return row
    step = statistics.median(taken)
    row["first_step_seconds"] = round(first, 2)
    row["step_ms"] = round(1000 * step, 2)
    row["images_per_second"] = round(case["batch"] / step, 3)
    row["peak_memory_mb"], row["added_memory_mb"] = round(peak), round(peak - before)
    return row


if __name__ == "__main__":
    auto_cli(main)
