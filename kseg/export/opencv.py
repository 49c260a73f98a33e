"""Exports in OpenCV's dnn module: whether they run there, and how they answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from kseg.config.export import ExportConfig
from kseg.export.graph import export_size
from kseg.export.images import batch_of, real_images
from kseg.export.parity import parity_of
from kseg.export.source import Source
from kseg.inference.engines import Engine
from kseg.inference.engines.exported import ExportedEngine
from kseg.quiet import quiet_stderr


class OpencvEngine(ExportedEngine):
    """An `.onnx` file in OpenCV. See `Engine`."""

    program = "OpenCV"

    def open(self) -> None:
        """Load the graph."""
        # The new engine of OpenCV 5 gives wrong results for some networks.
        options = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
        self._net = cv2.dnn.readNetFromONNX(str(self.path), **options)

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        self._net.setInput(batch, self.sidecar.input)
        return self._net.forward(self.sidecar.outputs[0])


def opencv_answer(
    path: Path,
    source: Source,
    config: ExportConfig,
    opened: Callable[[Path], Engine] = OpencvEngine,
) -> str:
    """Return in words how a file with its sidecar runs in OpenCV; failing is an answer.

    Args:
        path: The file.
        source: The model.
        config: Says which images are compared.
        opened: Opens it in OpenCV; by default as ONNX.
    """
    batch = batch_of(real_images(config, source, 1), export_size(source, config), source)
    try:
        # OpenCV writes of its failures itself.
        with quiet_stderr():
            parity = parity_of(opened(path), source.engine, [batch])
    except ValueError as error:
        return str(error).removeprefix(f"{path}: ")
    return f"largest difference {parity.max_difference:.2g}, same class {parity.agreement:.4%}"
