"""Frozen TensorFlow graphs (`.pb`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from kseg.inference.engines.base import runtime
from kseg.inference.engines.exported import ExportedEngine
from kseg.inference.sidecar import Sidecar
from kseg.opencv_net import OpencvNet


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
        if self.program == "OpenCV":
            names = self.sidecar.input, self.sidecar.outputs[0]
            self._graph = OpencvNet(self.path, *names, planes=self.sidecar.layout == "NCHW")
        else:
            self._graph = TensorflowGraph(self.path, self.sidecar)

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
