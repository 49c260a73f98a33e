"""Export every registered model to every format; record how each compares, or why it cannot.

Each export runs in a process that may crash or take too long without stopping the others.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from jsonargparse import auto_cli  # noqa: E402
from result_files import merge_rows  # noqa: E402

RESULT = "export_matrix.csv"
# What the cells are called, the format that is exported, and the program where it is not the usual.
CELLS = ("onnx", "openvino", "litert", "savedmodel", "pb", "pb_opencv", "ncnn")
CLASSES = ("background", "road", "car")


def main(
    models: list[str] | None = None,
    formats: list[str] | None = None,
    default_options: bool = False,
    size: int = 64,
    seconds: int = 300,
) -> None:
    """Fill cells of the table and write them to `benchmarks/results/export_matrix.csv`.

    Args:
        models: Registered names, by default all (with `default_options` those of the founding
            table).
        formats: Columns, by default all.
        default_options: Build the models as `get_model` does by default, not small ones.
        size: Height and width of the images.
        seconds: Time that one export may take.
    """
    from kseg.models import list_models, model_spec

    names = models or [
        name
        for name in list_models()
        if not default_options or model_spec(name).founding_parameters is not None
    ]
    options = "default" if default_options else "tiny"
    for name in names:
        for row in rows_of(name, options, size, formats or list(CELLS), seconds):
            print(row, flush=True)
            merge_rows(RESULT, ("model", "options", "format"), [row])


def rows_of(
    name: str, options: str, size: int, formats: Sequence[str], seconds: int
) -> Iterator[dict[str, object]]:
    """Give a row for each format; a process works on them until it dies or takes too long."""
    left = list(formats)
    while left:
        for row in answers(name, options, size, left, seconds):
            left.remove(row["format"])
            yield row


def answers(
    name: str, options: str, size: int, formats: Sequence[str], seconds: int
) -> Iterator[dict[str, object]]:
    """Give the rows that one process makes, and one for the format at which it stopped."""
    arguments = [sys.executable, __file__, "cells", name, options, str(size), *formats]
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    )
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [*map(lines.put, process.stdout), lines.put("")]).start()
    left = list(formats)
    try:
        while left:
            try:
                line = lines.get(timeout=seconds)
            except queue.Empty:
                yield plain_row(name, options, size, left[0], f"took longer than {seconds} s")
                return
            if not line:
                yield plain_row(name, options, size, left[0], "the converter crashed")
                return
            left.pop(0)
            yield json.loads(line)
    finally:
        process.kill()
        process.wait()


def plain_row(name: str, options: str, size: int, kind: str, reason: str = "") -> dict[str, object]:
    """Return the row of an export that failed, or the beginning of one that did not."""
    return {
        "model": name,
        "options": options,
        "size": size,
        "format": kind,
        "max_difference": "",
        "agreement": "",
        "bytes": "",
        "reason": reason,
    }


def cells(name: str, options: str, size: int, formats: Sequence[str]) -> None:
    """Make the exports of one model, and print a row as JSON after each."""
    # What converters print belongs elsewhere.
    answer, sys.stdout = sys.stdout, sys.stderr
    source = random_source(name, options, size)
    with tempfile.TemporaryDirectory() as folder:
        for kind in formats:
            row = plain_row(name, options, size, kind)
            try:
                row |= cell(source, kind, Path(folder))
            except Exception as error:  # each converter raises what it likes
                sort = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                said = " ".join(str(error).split()).replace(f"{folder}/", "")
                row["reason"] = f"{sort}{said}"[:400]
            print(json.dumps(row), file=answer, flush=True)


def cell(source, kind: str, folder: Path) -> dict[str, object]:
    """Export a model to one format and compare it; of the frozen graph also in OpenCV."""
    from kseg.export.everything import PRECISIONS
    from kseg.export.images import batch_of, real_images
    from kseg.export.opencv import OpencvEngine
    from kseg.export.parity import check_parity, parity_of
    from kseg.export.run import export_source

    chosen = {one.format: one for one, _ in PRECISIONS}[kind.removesuffix("_opencv")]
    path = folder / f"{source.name}{chosen.suffix}"
    config = chosen(output_path=str(path), repeats=0)
    exported = export_source(source, config)
    parity = exported.parity
    if kind == "pb_opencv":
        size = (source.info.input_height, source.info.input_width)
        batch = batch_of(real_images(config, source, 2), size, source)
        parity = parity_of(OpencvEngine(path), source.engine, [batch])
        check_parity(parity, config, source)
    return {
        "max_difference": f"{parity.max_difference:.2e}",
        "agreement": round(parity.agreement, 6),
        "bytes": exported.size,
    }


def random_source(name: str, options: str, size: int):
    """Return a model with random weights, whose normalisations know the statistics of images."""
    import keras
    import numpy as np

    from kseg.export.source import as_source
    from kseg.inference import ModelInfo
    from kseg.models import get_model
    from tests.tiny import tiny_options

    keras.utils.set_random_seed(0)
    chosen = tiny_options(name) if options == "tiny" else {}
    model = get_model(name, len(CLASSES), image_init="auto", **chosen)
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name == "gamma":
            variable.assign(rng.uniform(0.7, 1.3, variable.shape))
        elif variable.name in ("beta", "bias"):
            variable.assign(rng.normal(0, 0.1, variable.shape))
    with_statistics(model, size)
    info = ModelInfo(name, CLASSES, None, size, size, 1, "auto")
    return as_source(model, info, Path(f"{name}.keras"))


def with_statistics(model, size: int) -> None:
    """Set moving statistics to about those of a few images: values stay in a usual range."""
    import numpy as np
    from keras import layers

    from kseg.data.parts import iter_parts

    norms = [one for one in model._flatten_layers() if isinstance(one, layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    images = np.stack([image for image, _ in iter_parts("train", 4, size=(size, size))])
    for layer in norms:
        layer.momentum = 0.0
    model(images.astype("float32"), training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
        # Channels that hardly vary on four images would blow up rounding errors.
        layer.moving_variance.assign(np.maximum(layer.moving_variance, 1.0))


if __name__ == "__main__":
    if sys.argv[1:2] == ["cells"]:
        cells(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
    else:
        auto_cli(main)
