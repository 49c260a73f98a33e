"""The formats, and the packages that each needs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kseg.config.export import ExportConfig
from kseg.export.artifact import Artifact
from kseg.export.source import Source

# From the model, the settings and the path to write the main file to, named as it will be, in a
# folder of its own that other files may come to as well.
Converter = Callable[[Source, ExportConfig, Path], Artifact]


@dataclass(frozen=True)
class Format:
    """Where a format's converter is, and what it needs.

    Attributes:
        module: Module with `convert(source, config, path) -> Artifact`, imported on use.
        packages: What `pip install` calls the modules that the converter and the runtime import.
        int8: The same, for 8 bits alone.
    """

    module: str
    packages: Mapping[str, str]
    int8: Mapping[str, str]

    def missing(self, precision: str = "float32") -> list[str]:
        """Return what is to be installed for an export of this precision."""
        needed = {**self.packages, **(self.int8 if precision == "int8" else {})}
        return [package for module, package in needed.items() if find_spec(module) is None]

    def converter(self) -> Converter:
        """Import the converter."""
        return importlib.import_module(self.module).convert


_ONNX = {"tf2onnx": "tf2onnx", "onnx": "onnx", "onnxslim": "onnxslim"}
FORMATS = {
    "onnx": Format("kseg.export.onnx", {**_ONNX, "onnxruntime": "onnxruntime"}, {}),
    "openvino": Format("kseg.export.openvino", {**_ONNX, "openvino": "openvino"}, {"nncf": "nncf"}),
    "litert": Format("kseg.export.litert", {}, {}),
    "pb": Format("kseg.export.pb", {}, {}),
    "savedmodel": Format("kseg.export.savedmodel", {}, {}),
    "ncnn": Format("kseg.export.ncnn", {**_ONNX, "ncnn": "ncnn"}, {}),
    "tensorrt": Format("kseg.export.tensorrt", _ONNX, {"onnxruntime": "onnxruntime"}),
}


def converter(config: ExportConfig) -> Converter:
    """Return the converter that a config asks for.

    Raises:
        ValueError: It needs packages that are not installed.
    """
    chosen = FORMATS[config.format]
    missing = chosen.missing(getattr(config, "precision", "float32"))
    if missing:
        raise ValueError(
            f"exporting to {config.format} needs packages that are not installed: "
            f"pip install {' '.join(missing)}"
        )
    return chosen.converter()
