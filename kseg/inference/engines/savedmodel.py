"""TensorFlow's SavedModel folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kseg.inference.engines.base import runtime
from kseg.inference.engines.exported import ExportedEngine

GRAPH_FILE = "saved_model.pb"
SIGNATURE = "serving_default"


def is_saved_model(path: Path) -> bool:
    """Tell whether a folder is a SavedModel."""
    return (path / GRAPH_FILE).is_file()


class SavedModelEngine(ExportedEngine):
    """A SavedModel folder on TensorFlow; its description is beside the folder. See `Engine`."""

    program = "TensorFlow"

    def exists(self) -> bool:
        """Tell whether the folder is there."""
        return is_saved_model(self.path)

    def open(self) -> None:
        """Load the graph."""
        tf = runtime("tensorflow", "tensorflow", self.path)
        # The function lives as long as what it was loaded from.
        self._loaded = tf.saved_model.load(str(self.path))
        self._function = self._loaded.signatures[SIGNATURE]
        self._constant = tf.constant

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once."""
        answers = self._function(**{self.sidecar.input: self._constant(batch)})
        return answers[self.sidecar.outputs[0]].numpy()
