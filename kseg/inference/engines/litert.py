"""LiteRT files (`.tflite`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kseg.inference.engines.base import cores, runtime
from kseg.inference.engines.exported import ExportedEngine


class LitertEngine(ExportedEngine):
    """A `.tflite` file, with float or with integer input and output. See `Engine`.

    It runs on the small package ai-edge-litert, or on TensorFlow where that is missing.
    """

    program = "LiteRT"

    def open(self) -> None:
        """Load the graph."""
        interpreter = self._interpreter_class()
        self._model = interpreter(model_path=str(self.path), num_threads=cores())
        self._model.allocate_tensors()

    def _interpreter_class(self) -> Any:
        try:
            return runtime("ai_edge_litert.interpreter", "ai-edge-litert", self.path).Interpreter
        except ValueError as missing:
            try:
                return runtime("tensorflow", "tensorflow", self.path).lite.Interpreter
            except (ValueError, AttributeError):
                raise missing from None

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once; another shape than before makes the runtime plan its memory anew."""
        (source,) = self._model.get_input_details()
        if tuple(source["shape"]) != batch.shape:
            self._model.resize_tensor_input(source["index"], batch.shape)
            self._model.allocate_tensors()
        self._model.set_tensor(source["index"], _quantized(batch, source))
        self._model.invoke()
        target = self._output()
        return _restored(self._model.get_tensor(target["index"]), target)

    def _output(self) -> dict[str, Any]:
        """Return the output that the sidecar names; a single one may have any name."""
        found = self._model.get_output_details()
        named = [one for one in found if one["name"] == self.sidecar.outputs[0]]
        if not named and len(found) > 1:
            raise ValueError(f"{self.path}: there is no output named {self.sidecar.outputs[0]!r}")
        return (named or found)[0]


def _quantized(batch: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    scale, zero = tensor["quantization"]
    if not scale:
        return batch.astype(tensor["dtype"], copy=False)
    limits = np.iinfo(tensor["dtype"])
    steps = np.rint(batch / np.float32(scale)) + zero
    return np.clip(steps, limits.min, limits.max).astype(tensor["dtype"])


def _restored(values: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    scale, zero = tensor["quantization"]
    return (values.astype(np.float32) - zero) * np.float32(scale) if scale else values
