"""Images per second of `kseg predict` on a folder, beside the same work step after step."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from jsonargparse import auto_cli  # noqa: E402
from result_files import write_rows  # noqa: E402

RESULT = "predict_folder.csv"


def main(model: str, images: str, repeats: int = 5, batch_size: int = 4) -> None:
    """Write label maps and overlays of a folder by both ways in turn.

    Args:
        model: A run folder or model file.
        images: Folder of images.
        repeats: Rounds; the medians count.
        batch_size: Images per step of the network.
    """
    from kseg.config import PredictConfig
    from kseg.inference.outputs import make_writers
    from kseg.inference.predict import load_pipeline
    from kseg.inference.sources import find_inputs

    with tempfile.TemporaryDirectory() as output:
        config = PredictConfig(model=model, input=images, output=output, batch_size=batch_size)
        kinds = ("label", "overlay")
        pipeline = load_pipeline(config, kinds, batch_size)
        items = find_inputs(images, recursive=False, leave_out=Path(output))
        alone = replace(pipeline, writers=make_writers(kinds, pipeline.look))
        ways = {
            "overlapping": lambda: [*pipeline.rows(items)],
            "in turn": lambda: plain(alone, items),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(repeats + 1):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                # In the first round the backend compiles.
                if turn:
                    rates[name].append(len(items) / (time.perf_counter() - start))
    overlapping, in_turn = (statistics.median(rates[name]) for name in ways)
    row = {
        "images": len(items),
        "batch_size": batch_size,
        "cpus": len(os.sched_getaffinity(0)),
        "overlapping_per_second": round(overlapping, 1),
        "in_turn_per_second": round(in_turn, 1),
        "ratio": round(overlapping / in_turn, 2),
    }
    print(row)
    write_rows(RESULT, [row])


def plain(pipeline, items: Sequence) -> None:
    """Read a batch, segment it, write it, and go on to the next one."""
    from kseg.data.io import read_image
    from kseg.inference.outputs import Result

    for first in range(0, len(items), pipeline.batch_size):
        batch = items[first : first + pipeline.batch_size]
        images = [read_image(item.path, pipeline.predictor.channels) for item in batch]
        labels = pipeline.label_maps(images)
        for item, image, found in zip(batch, images, labels, strict=True):
            for writer in pipeline.writers.values():
                writer.write(Result(item, image, found))


if __name__ == "__main__":
    auto_cli(main)
