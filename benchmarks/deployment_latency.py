"""How long exported models take for an image, each on its own runtime, beside Keras' `predict`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np  # noqa: E402
from jsonargparse import auto_cli  # noqa: E402
from machine import describe, device_name  # noqa: E402
from result_files import merge_rows  # noqa: E402

RESULT = "deployment_latency.csv"
KEY = ("model", "size", "runtime", "device")
_PACKAGES = ("keras", "tensorflow", "onnxruntime", "openvino", "ai-edge-litert", "ncnn")
_CALIBRATED_ON = 8
# Threads of a runtime wait actively for more work before they sleep.
_PAUSE = 0.02


def main(
    models: tuple[str, ...] = ("unet",),
    sizes: tuple[int, ...] = (256, 512),
    founding: bool = False,
    repeats: int = 15,
    exports: str | None = None,
) -> None:
    """Time one image in memory, from bytes to probabilities, on all runtimes in turn.

    Args:
        models: Registered names, built for two classes with their default options.
        sizes: Heights and widths of the square images.
        founding: Time all models of the founding project instead.
        repeats: Turns that count; 0 only exports.
        exports: Folder to keep the exports in for the next time, by default none is.
    """
    from kseg.models import list_models, model_spec

    if founding:
        models = tuple(name for name in list_models() if model_spec(name).founding_parameters)
    with tempfile.TemporaryDirectory() as folder:
        for name in models:
            for size in sizes:
                _one(name, size, repeats, Path(exports or folder) / f"{name}_{size}")


def _one(name: str, size: int, repeats: int, folder: Path) -> None:
    functions, notes = runners(name, size, folder)
    if not repeats:
        return
    milliseconds = in_turn(functions, repeats)
    keras = np.median(milliseconds["Keras predict"])
    about = describe("tensorflow", device_name("tensorflow"), _PACKAGES)
    rows = [
        {
            "model": name,
            "size": size,
            "runtime": runtime,
            "p50_ms": round(float(np.median(times)), 1),
            "p95_ms": round(float(np.percentile(times, 95)), 1),
            "times_as_fast": round(float(keras / np.median(times)), 2),
            **about,
        }
        for runtime, times in milliseconds.items()
    ]
    rows += [
        {"model": name, "size": size, "runtime": runtime, "note": note, **about}
        for runtime, note in notes.items()
    ]
    for row in rows:
        print({key: row[key] for key in row if key not in about}, flush=True)
    merge_rows(RESULT, KEY, rows)


def runners(
    name: str, size: int, folder: Path
) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """Return functions that run one image on each runtime, and why a runtime has none."""
    from kseg.export.source import as_source
    from kseg.inference import ModelInfo
    from kseg.inference.engines import OpenvinoEngine, open_engine
    from kseg.models import get_model

    model = get_model(name, 2, image_init="divide")
    info = ModelInfo(name, ("background", "part"), None, size, size, 1, "divide")
    source = as_source(model, info, Path(name))
    image = _pictures(size, 1)[0][None]
    engines: dict[str, Any] = {"kseg's Keras engine": source.engine}
    notes = {}
    for runtime, config in _configs(size, folder).items():
        try:
            path = _exported(source, config)
        except Exception as error:  # a table has a gap where a format lacks something
            notes[runtime] = " ".join(str(error).split())[:200]
            continue
        engines[runtime] = open_engine(path)
        if runtime == "OpenVINO":
            engines["OpenVINO bf16"] = OpenvinoEngine(path, precision="bf16")
    functions: dict[str, Callable[[], Any]] = {
        "Keras predict": lambda: model.predict(image, verbose=0)
    }
    for runtime, engine in engines.items():
        functions[runtime] = lambda engine=engine: engine.probabilities(image)
    return functions, notes


def in_turn(functions: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of each function, all of them called once per turn."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 2):
        for name, function in functions.items():
            time.sleep(_PAUSE)
            start = time.perf_counter()
            function()
            if turn > 1:
                times[name].append(1000 * (time.perf_counter() - start))
    return times


def _configs(size: int, folder: Path) -> dict[str, Any]:
    """Return the settings of the export for each runtime."""
    from kseg.config import LitertConfig, NcnnConfig, OnnxConfig, OpenvinoConfig
    from kseg.data.io import write_image

    pictures = folder / "pictures"
    for index, picture in enumerate(_pictures(size, _CALIBRATED_ON)):
        write_image(pictures / f"{index}.png", picture)
    named = {"ONNX Runtime": OnnxConfig, "OpenVINO": OpenvinoConfig, "LiteRT": LitertConfig}
    configs: dict[str, Any] = {}
    for runtime, kind in named.items():
        plain = kind(output_path=str(folder / f"{kind.format}{kind.suffix}"))
        configs[runtime] = plain
        configs[f"{runtime} int8"] = replace(
            plain,
            precision="int8",
            calibration_data=str(pictures),
            output_path=str(folder / f"{kind.format}_int8{kind.suffix}"),
        )
    return {**configs, "ncnn": NcnnConfig(output_path=str(folder / "ncnn.param"))}


def _exported(source: Any, config: Any) -> Path:
    """Convert a model, unless the file is there already."""
    from kseg.export.formats import converter

    path = Path(config.output_path)
    if not path.is_file():
        artifact = converter(config)(source, config, path)
        artifact.sidecar.write(artifact.main)
    return path


def _pictures(size: int, count: int) -> Sequence[np.ndarray]:
    from kseg.data.parts import iter_parts

    return [image for image, _ in iter_parts("train", count, size=(size, size))]


if __name__ == "__main__":
    auto_cli(main)
