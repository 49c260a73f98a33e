"""OpenVINO's intermediate representation (`.xml` and `.bin`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kseg.inference.engines.base import runtime
from kseg.inference.engines.exported import ExportedEngine


class OpenvinoEngine(ExportedEngine):
    """An `.xml` file, whose weights are in the `.bin` file beside it. See `Engine`.

    Args:
        path: The file.
        precision: "f32" computes as the model was trained. "bf16", which OpenVINO itself would
            take on processors that have it, is about twice as fast and moves some edges.
        device: "CPU", "GPU" (Intel's) or "AUTO".

    Raises:
        ValueError: The file, its weights, its sidecar or OpenVINO is missing, or cannot be used.
    """

    program = "OpenVINO"

    def __init__(self, path: str | Path, *, precision: str = "f32", device: str = "CPU"):
        self._options = {"INFERENCE_PRECISION_HINT": precision}
        self._device = device
        super().__init__(path)

    def open(self) -> None:
        """Load the graph."""
        library = runtime("openvino", "openvino", self.path)
        weights = self.path.with_suffix(".bin")
        if not weights.is_file():
            raise ValueError(f"{self.path}: the weights {weights.name} are missing beside it")
        core = library.Core()
        model = core.compile_model(core.read_model(self.path), self._device, self._options)
        self._request = model.create_infer_request()

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        results = self._request.infer({self.sidecar.input: batch}, share_inputs=True)
        return results[self.sidecar.outputs[0]]
