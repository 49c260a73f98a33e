"""Build a TensorRT engine from an ONNX file.

Needs nothing of kseg: `export_tensorrt` copies this file beside the ONNX file, as build_engine.py,
with the settings in build_engine.json. TensorRT 8.6 or newer; an engine fits the kind of GPU and
the version of TensorRT that it was built with.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any


def build(folder: Path, settings: dict[str, Any]) -> Path:
    """Build the engine and return its file.

    Args:
        folder: Where the ONNX file is.
        settings: "onnx" and "engine", names of files; "precision", "float32", "float16" or "int8"
            (of an ONNX file that says itself where 8 bits are); "workspace_mb"; "input"; and
            "shapes", its smallest, usual and largest shape, or null where all sizes are fixed.

    Raises:
        ValueError: TensorRT cannot read the file, or build an engine from it.
    """
    trt = importlib.import_module("tensorrt")
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = _network(trt, builder, logger, folder / settings["onnx"])
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, settings["workspace_mb"] << 20)
    _set_precision(trt, config, settings["precision"])
    if settings["shapes"]:
        profile = builder.create_optimization_profile()
        profile.set_shape(settings["input"], *map(tuple, settings["shapes"]))
        config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise ValueError(f"TensorRT could not build an engine from {settings['onnx']}")
    target = folder / settings["engine"]
    draft = target.with_suffix(".partial")
    draft.write_bytes(engine)
    draft.replace(target)
    return target


def _network(trt: ModuleType, builder: Any, logger: Any, file: Path) -> Any:
    # From TensorRT 10 on every network is of this kind, and the flag only kept for older code.
    flag = 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)
    network = builder.create_network(flag)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(file.read_bytes()):
        errors = [str(parser.get_error(index)) for index in range(parser.num_errors)]
        raise ValueError(f"TensorRT cannot read {file.name}: {'; '.join(errors)}")
    return network


def _set_precision(trt: ModuleType, config: Any, precision: str) -> None:
    if precision == "float32":
        # By default NVIDIA's cores round to 10 bits of mantissa.
        config.clear_flag(trt.BuilderFlag.TF32)
    elif precision == "float16":
        config.set_flag(trt.BuilderFlag.FP16)
    else:
        # What is not in 8 bits may be in 16.
        config.set_flag(trt.BuilderFlag.INT8)
        config.set_flag(trt.BuilderFlag.FP16)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    print(build(here, json.loads((here / "build_engine.json").read_text("utf-8"))))
