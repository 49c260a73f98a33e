"""`kseg predict`: label masks and overlays for an image or a folder of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kseg.config import PredictConfig
from kseg.data.io import read_image, write_image, write_mask
from kseg.data.pairing import list_images
from kseg.inference.predictor import Predictor
from kseg.palette import class_palette, overlay
from kseg.runs import find_checkpoint


def predict(config: PredictConfig) -> list[Path]:
    """Segment the input and return the files written.

    A file that cannot be read is reported and left out; the others are done.

    Raises:
        ValueError: No model, no input, or at the end, if some files could not be read.
    """
    checkpoint, source = find_checkpoint(config.model), Path(config.input)
    files = [source] if source.is_file() else list_images(source)
    predictor = Predictor.load(checkpoint)
    return predict_files(
        predictor, files, Path(config.output), config.batch_size, config.save, config.blend
    )


def predict_files(
    predictor: Predictor,
    files: Sequence[Path],
    output: Path,
    batch_size: int,
    save: str = "all",
    blend: float = 0.5,
) -> list[Path]:
    """Segment files, print how many, and return the files written.

    Raises:
        ValueError: At the end, if some files could not be read.
    """
    names = dict(zip(files, _output_names(files), strict=True))
    written: list[Path] = []
    failed: list[str] = []
    shown = tqdm(files, "segmenting", unit="image", disable=len(files) < 2)
    readable = _read(shown, predictor.channels, failed)
    while batch := list(islice(readable, batch_size)):
        images = [image for _, image in batch]
        labels = predictor.predict_padded(images, min(batch_size, len(files)))
        for (path, image), mask in zip(batch, labels, strict=True):
            written += _write(output / names[path], image, mask, save, blend)
    print(f"{len(files) - len(failed)} images segmented, results in {output}")
    if failed:
        raise ValueError(f"{len(failed)} of {len(files)} files could not be read: {failed[0]}")
    return written


def _read(
    files: Sequence[Path], channels: int, failed: list[str]
) -> Iterator[tuple[Path, np.ndarray]]:
    for path in files:
        try:
            yield path, read_image(path, channels)
        except ValueError as error:
            failed.append(str(error))
            tqdm.write(f"left out: {error}")


def _output_names(files: Sequence[Path]) -> list[str]:
    """Return one name per file; files that differ in the extension only keep it."""
    stems = Counter(path.stem for path in files)
    return [p.stem if stems[p.stem] == 1 else p.name.replace(".", "_") for p in files]


def _write(
    target: Path, image: np.ndarray, mask: np.ndarray, save: str, blend: float
) -> list[Path]:
    label, picture = (target.with_name(target.name + end) for end in ("_label.png", "_overlay.jpg"))
    if save != "overlay":
        write_mask(label, mask, class_palette())
    if save != "label":
        write_image(picture, overlay(image, mask, blend))
    return {"all": [label, picture], "label": [label], "overlay": [picture]}[save]
