"""ncnn models (`.param` and `.bin`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kseg.inference.engines.base import cores, runtime
from kseg.inference.engines.exported import ExportedEngine


class NcnnEngine(ExportedEngine):
    """A `.param` file, whose weights are in the `.bin` file beside it. See `Engine`.

    ncnn takes one image at a time, as float32 planes.
    """

    program = "ncnn"

    def open(self) -> None:
        """Load the graph."""
        self._library = runtime("ncnn", "ncnn", self.path)
        self._net = self._library.Net()
        self._net.opt.num_threads = cores()
        self._net.opt.use_vulkan_compute = False
        for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
            setattr(self._net.opt, name, False)
        weights = self.path.with_suffix(".bin")
        self._check(self._net.load_param(str(self.path)), self.path)
        if not weights.is_file():
            raise ValueError(f"{self.path}: the weights {weights.name} are missing beside it")
        self._check(self._net.load_model(str(weights)), weights)

    def _check(self, status: int, what: Path | str) -> None:
        # ncnn raises nothing; it prints, and returns a number.
        if status != 0:
            raise ValueError(f"{self.path}: ncnn cannot use {what}; export the model again")

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph on one image after the other."""
        planes = batch if self.sidecar.layout == "NCHW" else batch.transpose(0, 3, 1, 2)
        results = np.stack([self._one(image) for image in planes])
        return results if self.sidecar.layout == "NCHW" else results.transpose(0, 2, 3, 1)

    def _one(self, image: np.ndarray) -> np.ndarray:
        image = np.ascontiguousarray(image, np.float32)
        extractor = self._net.create_extractor()
        source, target = self.sidecar.input, self.sidecar.outputs[0]
        # The matrix shares the memory of the array until it is copied.
        matrix = self._library.Mat(image).clone()
        self._check(extractor.input(source, matrix), f"the input {source!r}")
        status, result = extractor.extract(target)
        self._check(status, f"the output {target!r}")
        return np.array(result)
