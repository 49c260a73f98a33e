"""What every adapter gives: lists of files, names of classes, and a way to decode a mask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kseg.data.colours import Colour
from kseg.data.decode import exif_orientation
from kseg.data.io import read_image, read_mask

Relabel = Callable[[np.ndarray], np.ndarray]

VOID = 255
"""Label of pixels that no image covers, such as a letterbox border, where no other is set."""


@dataclass(frozen=True)
class SampleFiles:
    """The files of one sample.

    Attributes:
        image: Image file.
        mask: Label file, or None.
        valid: Optional file whose zero pixels do not count (a field of view).
        page: Page of image and label file where they are TIFF files with several; None for others.
    """

    image: Path
    mask: Path | None = None
    valid: Path | None = None
    page: int | None = None

    @property
    def name(self) -> str:
        """File name of the image without its extension, with the page if there are several."""
        return self.image.stem if self.page is None else f"{self.image.stem}_{self.page:04d}"


@dataclass(frozen=True)
class Sample:
    """A decoded sample.

    Attributes:
        image: `(H, W, C)` in 0..255, RGB where there are three channels: uint8, or float32 for
            files of more than 8 bits per channel.
        mask: Label map `(H, W)` of whole numbers, or None.
        name: Name for messages and output files.
        weights: float32 weights of the pixels `(H, W)` in the loss, or None.
    """

    image: np.ndarray
    mask: np.ndarray | None
    name: str
    weights: np.ndarray | None = None

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
        colours: Colour of label 0, 1, ..., for label maps saved in colours; None where the
            values of the files are the labels.
        channels: Channels that images are read with: 1, 3, 4 or their number of bands.
    """

    name: str
    train: Sequence[SampleFiles]
    val: Sequence[SampleFiles]
    test: Sequence[SampleFiles]
    class_names: Sequence[str]
    ignore_class: int | None = None
    relabel: Relabel | None = field(default=None, repr=False)
    colours: Sequence[Colour] | None = field(default=None, repr=False)
    channels: int = 3

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
        mask = read_mask(files.mask, page=files.page, colours=self.colours)
        if self.relabel is not None:
            mask = self._relabelled(mask, self.relabel, files.mask)
        if files.valid is not None:
            mask = self._outside_to_void(mask, files.valid)
        return mask

    @staticmethod
    def _relabelled(mask: np.ndarray, relabel: Relabel, path: Path) -> np.ndarray:
        try:
            return relabel(mask)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def _outside_to_void(self, mask: np.ndarray, valid_file: Path) -> np.ndarray:
        valid = read_mask(valid_file)
        if valid.shape != mask.shape:
            raise ValueError(
                f"{valid_file}: its size {valid.shape[::-1]} differs from the label map's "
                f"{mask.shape[::-1]}"
            )
        return np.where(valid > 0, mask, np.array(self.void, mask.dtype))

    def load_image(self, files: SampleFiles) -> np.ndarray:
        """Decode the image `(H, W, channels)` of a sample, see `read_image`.

        Raises:
            ValueError: The file is missing or broken, or has other channels.
        """
        return read_image(files.image, self.channels, page=files.page)

    def load(self, files: SampleFiles) -> Sample:
        """Decode image and label map of a sample.

        Raises:
            ValueError: A file is missing or broken, or the two sizes differ.
        """
        image, mask = self.load_image(files), self.load_mask(files)
        if image.shape[:2] != mask.shape:
            raise ValueError(_sizes_differ(files, image.shape, mask.shape))
        return Sample(image, mask, files.name)


def _sizes_differ(files: SampleFiles, image: tuple[int, ...], mask: tuple[int, ...]) -> str:
    turned = mask == image[1::-1] and exif_orientation(files.image) > 1
    advice = "; the image is turned by its EXIF orientation, turn its label map too"
    return (
        f"{files.mask}: the label map is {mask[1]}x{mask[0]} but its image {files.image.name} is "
        f"{image[1]}x{image[0]} (width x height){advice if turned else ''}"
    )
