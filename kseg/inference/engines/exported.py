"""What the runtimes of exported models have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kseg.inference.engines.base import check_batch, check_classes, in_batches, told_plainly
from kseg.inference.engines.scores import to_labels, to_probabilities
from kseg.inference.sidecar import Sidecar


class ExportedEngine:
    """An exported graph with its sidecar; a subclass opens and runs it. See `Engine`.

    Args:
        path: The file of the graph.

    Raises:
        ValueError: The file, its sidecar or the runtime is missing, or cannot be used.
    """

    program = ""

    def __init__(self, path: str | Path):
        self.path = self.name = Path(path)
        if not self.exists():
            raise ValueError(f"{path}: no such file")
        self.sidecar = Sidecar.read(self.path)
        self.info = self.sidecar.model
        self.channels = self.sidecar.channels
        self.size = self.sidecar.size
        self.batch_size = self.sidecar.batch_size
        with told_plainly(self.path, self.program):
            self.open()

    def exists(self) -> bool:
        """Tell whether the file, or what the format has in its place, is there."""
        return self.path.is_file()

    def open(self) -> None:
        """Load the graph."""
        raise NotImplementedError

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Run the graph once.

        Args:
            batch: Images in the type and order of axes, and the number, that the graph takes.

        Returns:
            Its first output, as the graph gives it.
        """
        raise NotImplementedError

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float32 `(N, H, W, C)`."""
        kind, classes = self.sidecar.output, len(self.info.class_names)
        return self._each(batch, lambda out: to_probabilities(out, kind, self._axis, classes))

    def labels(self, batch: np.ndarray) -> np.ndarray:
        """Return the most probable class of each pixel, uint8 `(N, H, W)`."""
        return self._each(batch, lambda out: to_labels(out, self.sidecar.output, self._axis))

    @property
    def _axis(self) -> int:
        return 1 if self.sidecar.layout == "NCHW" else 3

    def _each(self, batch: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        check_batch(self, batch, self.path)

        def run(part: np.ndarray) -> np.ndarray:
            return function(self._checked(self.run(self._as_input(part)), part))

        with told_plainly(self.path, self.program):
            return in_batches(run, batch, self.batch_size)

    def _as_input(self, batch: np.ndarray) -> np.ndarray:
        if self.sidecar.input_dtype == "uint8" and batch.dtype != np.uint8:
            batch = np.clip(np.rint(batch), 0, 255)
        if self.sidecar.layout == "NCHW":
            batch = batch.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(batch, self.sidecar.input_dtype)

    def _checked(self, output: np.ndarray, batch: np.ndarray) -> np.ndarray:
        """Refuse an output that is not what the sidecar says."""
        if not self._fits(output.shape, batch.shape[:3]):
            raise ValueError(
                f"{self.path}: for images {batch.shape} in {self.sidecar.layout} the graph gives "
                f"{self.sidecar.output} of the shape {output.shape}, which its sidecar does not "
                "say; export the model again"
            )
        if self.sidecar.output != "labels":
            check_classes(output.shape[self._axis], self.info, self.path)
        return output

    def _fits(self, shape: tuple[int, ...], pixels: tuple[int, ...]) -> bool:
        labels = self.sidecar.output == "labels"
        if len(shape) == 3 and labels:
            return shape == pixels
        without_classes = shape[: self._axis] + shape[self._axis + 1 :]
        return without_classes == pixels and (not labels or shape[self._axis] == 1)
