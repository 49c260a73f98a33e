"""ONNX files on ONNX Runtime."""

from __future__ import annotations

import numpy as np

from kseg.inference.engines.base import cores, runtime
from kseg.inference.engines.exported import ExportedEngine

# TensorRT is left out: it would build an engine for minutes at the first image.
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ERRORS_ONLY = 3


class OnnxEngine(ExportedEngine):
    """A `.onnx` file, on the GPU where ONNX Runtime has one. See `Engine`."""

    program = "ONNX Runtime"

    def open(self) -> None:
        """Load the graph."""
        library = runtime("onnxruntime", "onnxruntime", self.path)
        options = library.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        # The default pins threads to all cores of the machine, also to those not allowed.
        options.intra_op_num_threads = cores()
        available = library.get_available_providers()
        providers = [one for one in _PROVIDERS if one in available]
        self._session = library.InferenceSession(str(self.path), options, providers=providers)

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        return self._session.run([self.sidecar.outputs[0]], {self.sidecar.input: batch})[0]
