"""Export to TensorRT: the ONNX file, what builds an engine from it, and the engine if possible."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseg.config import TensorrtConfig
from kseg.export import tensorrt_build
from kseg.export.artifact import Artifact
from kseg.export.calibration import calibration_batches
from kseg.export.graph import INPUT, ExportGraph, export_size, make_graph
from kseg.export.onnx import describe
from kseg.export.onnx_model import onnx_model
from kseg.export.run import precision_mark
from kseg.export.source import Source
from kseg.inference.engines import Engine, OnnxEngine
from kseg.inference.engines.tensorrt import TensorrtEngine, cuda_devices
from kseg.inference.sidecar import Sidecar, sidecar_path

if TYPE_CHECKING:
    import onnx

SMALLEST_SIZE = 32
_LARGEST_BATCH, _LARGEST_FACTOR = 8, 2
_SCRIPT = """\
#!/bin/sh
# Builds the TensorRT engine of this folder on the machine with the GPU. Without trtexec, but with
# the Python package tensorrt: python3 build_engine.py
set -eu
cd "$(dirname "$0")"
{line}
"""


def convert(source: Source, config: TensorrtConfig, path: Path) -> Artifact:
    """Write a folder with the ONNX file, build scripts and, where one can be built, the engine.

    Raises:
        ValueError: The model has an operation that ONNX lacks, or TensorRT fails.
    """
    import onnx

    graph = make_graph(source, config)
    model, _ = onnx_model(graph, opset=config.opset)
    if config.precision == "int8":
        model = _in_8_bits(model, source, config)
    path.mkdir()
    settings = build_settings(graph, config)
    sidecar = graph.sidecar("tensorrt", layout="NCHW")
    describe(model, sidecar)
    onnx.save(model, path / settings["onnx"])
    sidecar.write(path / settings["onnx"])
    write_scripts(path, settings)
    missing = what_is_missing()
    if not missing:
        sidecar.write(tensorrt_build.build(path, settings))
    return _artifact(path, sidecar, settings, missing)


def _artifact(
    path: Path, sidecar: Sidecar, settings: dict[str, Any], missing: list[str]
) -> Artifact:
    facts = {"input": _shapes_in_words(settings), "trtexec": trtexec_line(settings)}
    if not missing:
        facts["engine"] = settings["engine"]
        return Artifact(path, sidecar, facts, _in_folder(TensorrtEngine, settings["engine"]))
    facts["engine"] = (
        f"not built, for {', '.join(missing)}; on a machine with GPU and TensorRT run "
        "build_engine.sh or build_engine.py of this folder"
    )
    if find_spec("onnxruntime") is None:
        return Artifact(path, sidecar, facts, unchecked="there is neither TensorRT nor onnxruntime")
    facts["compared by"] = f"ONNX Runtime, which ran {settings['onnx']}"
    return Artifact(path, sidecar, facts, _in_folder(OnnxEngine, settings["onnx"]))


def _in_folder(engine: Callable[[Path], Engine], name: str) -> Callable[[Path], Engine]:
    return partial(_open, engine, name)


def _open(engine: Callable[[Path], Engine], name: str, folder: Path) -> Engine:
    return engine(folder / name)


def what_is_missing() -> list[str]:
    """Return what an engine cannot be built without and is not here, in words."""
    packages = {"tensorrt": "tensorrt", "cuda": "cuda-python"}
    missing = [
        f"the package {package} is not installed"
        for module, package in packages.items()
        if find_spec(module) is None
    ]
    if not cuda_devices():
        missing.append("there is no NVIDIA GPU")
    return missing


def build_settings(graph: ExportGraph, config: TensorrtConfig) -> dict[str, Any]:
    """Return what `tensorrt_build.build` needs to know."""
    name = f"{graph.source.name}{precision_mark(config)}"
    return {
        "onnx": f"{name}.onnx",
        "engine": f"{name}.engine",
        "precision": config.precision,
        "workspace_mb": config.workspace_mb,
        "input": INPUT,
        "shapes": input_shapes(graph, config),
    }


def input_shapes(graph: ExportGraph, config: TensorrtConfig) -> list[list[int]] | None:
    """Return the smallest, the usual and the largest shape `[N, C, H, W]`, None if all are fixed.

    Raises:
        ValueError: They do not grow, or differ where the graph is fixed.
    """
    batch, height, width, channels = graph.shape
    if None not in (batch, height, width):
        return None
    size = export_size(graph.source, config)
    usual = (config.batch_size, *size)
    smallest = (1, SMALLEST_SIZE, SMALLEST_SIZE)
    largest = (max(_LARGEST_BATCH, usual[0]), *(_LARGEST_FACTOR * length for length in size))
    fixed = (batch, height, width)
    shapes = [
        _given(given) or [known or default for known, default in zip(fixed, guess, strict=True)]
        for given, guess in (
            (config.min_shape, smallest),
            (config.opt_shape, usual),
            (config.max_shape, largest),
        )
    ]
    _check_shapes(shapes, fixed)
    return [[n, channels, h, w] for n, h, w in shapes]


def _given(shape: str | None) -> list[int]:
    return [int(length) for length in shape.split("x")] if shape else []


def _check_shapes(shapes: list[list[int]], fixed: tuple[int | None, ...]) -> None:
    for lengths, known in zip(zip(*shapes, strict=True), fixed, strict=True):
        if list(lengths) != sorted(lengths):
            raise ValueError(
                "--min_shape, --opt_shape and --max_shape must not shrink in any axis, got "
                f"{', '.join(_times(shape) for shape in shapes)}"
            )
        if known is not None and set(lengths) != {known}:
            raise ValueError(
                f"--min_shape, --opt_shape and --max_shape must have {known} where the graph is "
                "fixed to it; add --dynamic_batch or --dynamic_size to leave it open"
            )


def trtexec_line(settings: dict[str, Any]) -> str:
    """Return the command that builds the engine with TensorRT's own program."""
    words = [
        "trtexec",
        f"--onnx={settings['onnx']}",
        f"--saveEngine={settings['engine']}",
        f"--memPoolSize=workspace:{settings['workspace_mb']}",
        *{"float32": ["--noTF32"], "float16": ["--fp16"], "int8": ["--int8", "--fp16"]}[
            settings["precision"]
        ],
    ]
    for kind, shape in zip(("min", "opt", "max"), settings["shapes"] or (), strict=False):
        words.append(f"--{kind}Shapes={settings['input']}:{_times(shape)}")
    return shlex.join([*words, "--skipInference"])


def write_scripts(folder: Path, settings: dict[str, Any]) -> None:
    """Write build_engine.sh, build_engine.py and its settings into a folder."""
    script = folder / "build_engine.sh"
    script.write_text(_SCRIPT.format(line=trtexec_line(settings)), "utf-8")
    script.chmod(0o755)
    shutil.copyfile(tensorrt_build.__file__, folder / "build_engine.py")
    # The description of the ONNX file holds for the engine too.
    described = sidecar_path(settings["engine"]).name
    (folder / "build_engine.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    shutil.copyfile(sidecar_path(folder / settings["onnx"]), folder / described)


def _in_8_bits(model: onnx.ModelProto, source: Source, config: TensorrtConfig) -> onnx.ModelProto:
    """Return the model with nodes that round to 8 bits, symmetrically as TensorRT wants it."""
    from kseg.export.onnx_int8 import quantized

    return quantized(model, list(calibration_batches(config, source)), symmetric=True)


def _shapes_in_words(settings: dict[str, Any]) -> str:
    shapes = settings["shapes"]
    return " to ".join(_times(shape) for shape in shapes[::2]) if shapes else "fixed"


def _times(shape: list[int]) -> str:
    return "x".join(map(str, shape))
