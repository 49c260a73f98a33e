"""Graphs in OpenCV's dnn module; as a program they run apart, since some graphs crash OpenCV."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np


class OpencvNet:
    """An `.onnx` file or a frozen `.pb` graph in OpenCV.

    OpenCV has images and scores of a `.pb` graph as planes, whatever the graph has.

    Args:
        path: The file.
        source: Name of its input.
        target: Name of its output.
        planes: The graph has channels before height and width.
    """

    def __init__(self, path: str | Path, source: str, target: str, *, planes: bool):
        # The new engine of OpenCV 5 gives wrong results for some networks.
        options = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
        frozen = Path(path).suffix == ".pb"
        read = cv2.dnn.readNetFromTensorflow if frozen else cv2.dnn.readNetFromONNX
        self._net = read(str(path), **options)
        self._turned = frozen and not planes
        self._source, self._target = source, target
        if frozen:
            self._source, target = (name.split(":")[0] for name in (source, target))
            # A last layer that OpenCV joined with the one before it has the name of that one.
            ends = self._net.getUnconnectedOutLayersNames()
            self._target = ends[0] if len(ends) == 1 else target

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once, on images in the layout of the graph."""
        if not self._turned:
            self._net.setInput(batch, self._source)
            return self._net.forward(self._target)
        planes = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)
        self._net.setInput(planes, self._source)
        return self._net.forward(self._target).transpose(0, 2, 3, 1)


def main(path: str, source: str, target: str, planes: str, batch: str, result: str) -> None:
    """Run a file on a `.npy` file of images and write what it answers to another."""
    net = OpencvNet(path, source, target, planes=planes == "True")
    np.save(result, net.run(np.load(batch)))


if __name__ == "__main__":
    main(*sys.argv[1:])
