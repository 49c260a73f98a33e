"""One way to run a model per file, and `open_engine`, which picks by what a path is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kseg.inference.engines.base import Engine
from kseg.inference.engines.frozen import FrozenEngine
from kseg.inference.engines.keras import KerasEngine
from kseg.inference.engines.litert import LitertEngine
from kseg.inference.engines.ncnn import NcnnEngine
from kseg.inference.engines.onnx import OnnxEngine
from kseg.inference.engines.openvino import OpenvinoEngine
from kseg.inference.engines.savedmodel import SavedModelEngine, is_saved_model
from kseg.inference.engines.tensorrt import TensorrtEngine
from kseg.runs import find_checkpoint

__all__ = [
    "Engine",
    "FrozenEngine",
    "KerasEngine",
    "LitertEngine",
    "NcnnEngine",
    "OnnxEngine",
    "OpenvinoEngine",
    "TensorrtEngine",
    "open_engine",
]

EXPORTS: dict[str, Callable[[Path], Engine]] = {
    ".onnx": OnnxEngine,
    ".xml": OpenvinoEngine,
    ".tflite": LitertEngine,
    ".param": NcnnEngine,
    ".pb": FrozenEngine,
    ".engine": TensorrtEngine,
}


def open_engine(path: str | Path) -> Engine:
    """Open a model on the runtime that its file is for.

    Args:
        path: A run folder (its best checkpoint), a `.keras` file, or an exported model with its
            `.json` file beside it: `.onnx`, `.xml` (OpenVINO), `.tflite`, `.param` (ncnn), `.pb`,
            `.engine` (TensorRT), or the folder of a SavedModel.

    Raises:
        ValueError: There is no model, it is damaged, or what it needs is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in EXPORTS and not path.is_dir():
        return EXPORTS[suffix](path)
    if is_saved_model(path):
        return SavedModelEngine(path)
    if path.is_file() and suffix != ".keras":
        raise ValueError(
            f"{path}: models are run folders or files that end in .keras, {', '.join(EXPORTS)}"
        )
    return KerasEngine.load(find_checkpoint(path))
