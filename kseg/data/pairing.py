"""Finding images and the label files that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kseg.data.dataset import SampleFiles
from kseg.data.io import IMAGE_SUFFIXES


def list_images(folder: Path) -> list[Path]:
    """Return the image files of a folder in the order of their names.

    Raises:
        ValueError: No such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        raise ValueError(f"{folder}: there is no image in this folder")
    return files


def pair_folders(images: Path, masks: Path) -> list[SampleFiles]:
    """Pair the images of one folder with the label maps of another by their stems.

    Raises:
        ValueError: A file without partner, or two files of one stem.
    """
    image_files, mask_files = _by_stem(images), _by_stem(masks)
    _check_partners(image_files, mask_files, masks, "label map")
    _check_partners(mask_files, image_files, images, "image")
    return [SampleFiles(path, mask_files[stem]) for stem, path in image_files.items()]


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in list_images(folder):
        if path.stem in files:
            raise ValueError(
                f"{path}: another file has the same name up to the extension, "
                f"{files[path.stem].name}; remove one"
            )
        files[path.stem] = path
    return files


def _check_partners(
    files: dict[str, Path], partners: dict[str, Path], folder: Path, kind: str
) -> None:
    alone: Sequence[Path] = [path for stem, path in files.items() if stem not in partners]
    if alone:
        more = f" (and {len(alone) - 1} more files have none)" if len(alone) > 1 else ""
        raise ValueError(f"{alone[0]}: no {kind} named {alone[0].stem}.* in {folder}{more}")
