"""Exports in OpenCV's dnn module: whether they run there, and how they answer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kseg.config.export import ExportConfig
from kseg.export.graph import export_size
from kseg.export.images import batch_of, real_images
from kseg.export.parity import parity_of
from kseg.export.source import Source
from kseg.inference.engines.exported import ExportedEngine


class OpencvEngine(ExportedEngine):
    """An `.onnx` or `.pb` file in OpenCV, in a process that may crash. See `Engine`."""

    program = "OpenCV"

    def open(self) -> None:
        """Leave the file to the process."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        with tempfile.TemporaryDirectory() as folder:
            images, answer = (str(Path(folder, name)) for name in ("images.npy", "answer.npy"))
            np.save(images, batch)
            names = self.sidecar.input, self.sidecar.outputs[0]
            planes = str(self.sidecar.layout == "NCHW")
            command = [sys.executable, "-m", "kseg.opencv_net", str(self.path), *names, planes]
            done = subprocess.run([*command, images, answer], capture_output=True, text=True)
            if done.returncode == 0:
                return np.load(answer)
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise RuntimeError(said[-1] if said and done.returncode > 0 else "it crashes OpenCV")


def opencv_answer(path: Path, source: Source, config: ExportConfig) -> str:
    """Return in words how a file with its sidecar runs in OpenCV; failing is an answer.

    Args:
        path: The file.
        source: The model.
        config: Says which images are compared.
    """
    batch = batch_of(real_images(config, source, 1), export_size(source, config), source)
    try:
        parity = parity_of(OpencvEngine(path), source.engine, [batch])
    except ValueError as error:
        return str(error).removeprefix(f"{path}: ")
    return f"largest difference {parity.max_difference:.2g}, same class {parity.agreement:.4%}"
