"""What every adapter gives: lists of files, names of classes, and a way to decode a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kseg.data.io import read_image, read_mask

VOID = 255
"""Label of pixels that no image covers, such as a letterbox border, where no other is set."""


@dataclass(frozen=True)
class SampleFiles:
    """The files of one sample.

    Attributes:
        image: Image file.
        mask: Label file, or None.
        valid: Optional file whose zero pixels do not count (a field of view).
    """

    image: Path
    mask: Path | None = None
    valid: Path | None = None

    @property
    def name(self) -> str:
        """File name of the image without its extension."""
        return self.image.stem


@dataclass(frozen=True)
class Sample:
    """A decoded sample.

    Attributes:
        image: uint8 RGB `(H, W, 3)`.
        mask: Label map `(H, W)`, uint8, or None.
        name: Name for messages and output files.
    """

    image: np.ndarray
    mask: np.ndarray | None
    name: str

    @property
    def labels(self) -> np.ndarray:
        """The label map, where there must be one."""
        if self.mask is None:
            raise ValueError(f"{self.name}: this sample has no label map")
        return self.mask


@dataclass(frozen=True)
class Dataset:
    """A data set on disk.

    Attributes:
        name: Its name.
        train: Samples to learn from.
        val: Samples to choose the best checkpoint with.
        test: Samples for the final score; the same as `val` where there is no third part.
        class_names: Name of each class, background first where there is one.
        ignore_class: Label that counts nowhere, or None.
        relabel: Function from decoded mask values to labels, for formats such as 0/255.
    """

    name: str
    train: Sequence[SampleFiles]
    val: Sequence[SampleFiles]
    test: Sequence[SampleFiles]
    class_names: Sequence[str]
    ignore_class: int | None = None
    relabel: Callable[[np.ndarray], np.ndarray] | None = field(default=None, repr=False)

    @property
    def num_classes(self) -> int:
        """Number of classes, the ignored one left out."""
        return len(self.class_names)

    @property
    def void(self) -> int:
        """Label written where no image is: `ignore_class`, or 255."""
        return VOID if self.ignore_class is None else self.ignore_class

    @property
    def splits(self) -> Mapping[str, Sequence[SampleFiles]]:
        """The parts by name: "train", "val" and "test"."""
        return {"train": self.train, "val": self.val, "test": self.test}

    def load_mask(self, files: SampleFiles) -> np.ndarray:
        """Decode the label map `(H, W)` of a sample.

        Raises:
            ValueError: The file is missing, broken or no label map.
        """
        if files.mask is None:
            raise ValueError(f"{files.image}: this sample has no label file")
        mask = read_mask(files.mask)
        if self.relabel is not None:
            mask = self.relabel(mask)
        if files.valid is not None:
            mask = self._outside_to_void(mask, files.valid)
        return mask

    def _outside_to_void(self, mask: np.ndarray, valid_file: Path) -> np.ndarray:
        valid = read_mask(valid_file)
        if valid.shape != mask.shape:
            raise ValueError(
                f"{valid_file}: its size {valid.shape[::-1]} differs from the label map's "
                f"{mask.shape[::-1]}"
            )
        return np.where(valid > 0, mask, np.array(self.void, mask.dtype))

    def load(self, files: SampleFiles) -> Sample:
        """Decode image and label map of a sample.

        Raises:
            ValueError: A file is missing or broken, or the two sizes differ.
        """
        image, mask = read_image(files.image), self.load_mask(files)
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f"{files.mask}: the label map is {mask.shape[1]}x{mask.shape[0]} but its image "
                f"{files.image.name} is {image.shape[1]}x{image.shape[0]} (width x height)"
            )
        return Sample(image, mask, files.name)
