"""Frozen TensorFlow graphs (`.pb`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np

from kseg.inference.engines.base import runtime
from kseg.inference.engines.exported import ExportedEngine
from kseg.inference.sidecar import Sidecar


class FrozenEngine(ExportedEngine):
    """A frozen `.pb` graph on TensorFlow, or on OpenCV where that is missing. See `Engine`.

    Args:
        path: The file.
        program: "TensorFlow" or "OpenCV", which reads fewer graphs; by default the first of them
            that is installed.

    Raises:
        ValueError: The file or its sidecar is missing, or the program cannot use it.
    """

    def __init__(self, path: str | Path, *, program: str | None = None):
        has_tensorflow = importlib.util.find_spec("tensorflow") is not None
        self.program = program or ("TensorFlow" if has_tensorflow else "OpenCV")
        super().__init__(path)

    def open(self) -> None:
        """Load the graph."""
        kind = OpencvGraph if self.program == "OpenCV" else TensorflowGraph
        self._graph = kind(self.path, self.sidecar)

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        return self._graph.run(batch)


class TensorflowGraph:
    """A frozen graph in TensorFlow, imported as TensorFlow 1 did."""

    def __init__(self, path: Path, sidecar: Sidecar):
        tf = runtime("tensorflow", "tensorflow", path)
        graph = tf.compat.v1.GraphDef()
        graph.ParseFromString(path.read_bytes())
        imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
        source, target = (
            imported.graph.as_graph_element(name if ":" in name else f"{name}:0")
            for name in (sidecar.input, sidecar.outputs[0])
        )
        self._function = imported.prune(source, target)
        self._constant = tf.constant

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        return self._function(self._constant(batch)).numpy()


class OpencvGraph:
    """A frozen graph in OpenCV, which has images and scores as planes whatever the graph has."""

    def __init__(self, path: Path, sidecar: Sidecar):
        # The new engine of OpenCV 5 gives wrong results for some networks.
        options = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
        self._net = cv2.dnn.readNetFromTensorflow(str(path), **options)
        self._planes = sidecar.layout == "NCHW"
        self._source, target = (name.split(":")[0] for name in (sidecar.input, sidecar.outputs[0]))
        # A last layer that OpenCV joined with the one before it has the name of that one.
        ends = self._net.getUnconnectedOutLayersNames()
        self._target = ends[0] if len(ends) == 1 else target

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once, on images in the layout of the graph."""
        planes = batch if self._planes else batch.transpose(0, 3, 1, 2)
        self._net.setInput(np.ascontiguousarray(planes, np.float32), self._source)
        result = self._net.forward(self._target)
        return result if self._planes else result.transpose(0, 2, 3, 1)
