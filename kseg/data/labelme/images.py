"""The image that an annotation belongs to: a file near the JSON, or embedded in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PureWindowsPath

import numpy as np
from PIL import ExifTags, Image

from kseg.data.decode import NUMPY_START, TIFF_STARTS, decode_file, first_bytes, open_image
from kseg.data.io import read_image
from kseg.data.labelme.annotation import Annotation
from kseg.data.labelme.embedded import decode_base64, decode_pixels, load_pixels, open_embedded
from kseg.data.paths import existing_inside

_TURNED_BY_90_DEGREES = (5, 6, 7, 8)
_SUFFIXES: Mapping[str | None, str] = {
    "BMP": ".bmp",
    "GIF": ".gif",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
}


def image_file(annotation: Annotation, folder: Path | None = None) -> Path | None:
    """Return the image file of an annotation, or None where the image is embedded.

    `imagePath` counts from the folder of the JSON file and must not leave it. Backslashes
    separate folders, since labelme writes them on Windows.

    Args:
        annotation: The annotation.
        folder: Folder with the images; only the last part of `imagePath` counts then.

    Raises:
        ValueError: The path leaves the folder, or there is no such file.
    """
    if annotation.image_data is not None:
        return None
    text, where = annotation.image_path or "", f"{annotation.path}: imagePath"
    if folder is not None:
        return existing_inside(folder, PureWindowsPath(text).name, where)
    return existing_inside(annotation.path.parent, text, where)


def image_size(annotation: Annotation, file: Path | None) -> tuple[int, int]:
    """Return height and width of the image as it was annotated, if possible without decoding it.

    labelme turns files as their EXIF orientation says, and shows embedded images as stored.

    Raises:
        ValueError: No image, one too large, or not of the size that the annotation states.
    """
    if file is None:
        with _open_embedded(annotation) as image:
            size = image.height, image.width
    else:
        size = _file_size(file)
    check_size(annotation, file, size)
    return size


def check_size(annotation: Annotation, file: Path | None, size: tuple[int, int]) -> None:
    """Raise ValueError where an image has not the height and width that its JSON file states."""
    stated = annotation.size
    if stated is not None and stated != size:
        raise ValueError(
            f"{annotation.path}: imageWidth x imageHeight is {stated[1]}x{stated[0]} but the image "
            f"{'imageData' if file is None else file} is {size[1]}x{size[0]} (turned upright by "
            "its EXIF orientation); put the image there that was annotated"
        )


def _file_size(file: Path) -> tuple[int, int]:
    # Pillow cannot open all of these.
    if first_bytes(file).startswith((*TIFF_STARTS, NUMPY_START)):
        height, width = decode_file(file).array.shape[:2]
        return height, width
    with open_image(file) as image:
        turned = _orientation(image, str(file)) in _TURNED_BY_90_DEGREES
        return image.size if turned else (image.height, image.width)


def _orientation(image: Image.Image, where: str) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    # The parser stumbles in many ways over hostile bytes.
    except Exception as error:
        raise ValueError(f"{where}: the image or its EXIF data is damaged ({error})") from None


def _open_embedded(annotation: Annotation) -> Image.Image:
    return open_embedded(_embedded_bytes(annotation), f"{annotation.path}: imageData")


def _embedded_bytes(annotation: Annotation) -> bytes:
    return decode_base64(annotation.image_data or "", f"{annotation.path}: imageData")


def load_image(annotation: Annotation, file: Path | None, channels: int = 3) -> np.ndarray:
    """Decode the image `(H, W, channels)` as it was annotated, see `kseg.data.io.read_image`.

    Raises:
        ValueError: The image is missing, damaged, too large or has other channels.
    """
    if file is not None:
        return read_image(file, channels)
    with _open_embedded(annotation) as image:
        return decode_pixels(image, annotation.path, channels)


def copyable_bytes(annotation: Annotation, file: Path | None) -> tuple[str, bytes] | None:
    """Return suffix and bytes of an image that any program reads as it was annotated.

    None for images with an EXIF orientation, which some programs follow and some do not, for CMYK
    and for unusual formats.

    Raises:
        ValueError: The image is damaged.
    """
    if file is not None and first_bytes(file).startswith(TIFF_STARTS):
        decode_file(file)
        return ".tif", file.read_bytes()
    name = f"{annotation.path}: imageData" if file is None else str(file)
    with _open_embedded(annotation) if file is None else open_image(file) as image:
        load_pixels(image, name)
        suffix = _SUFFIXES.get(image.format)
        if suffix is None or _orientation(image, name) != 1 or image.mode == "CMYK":
            return None
    return suffix, _embedded_bytes(annotation) if file is None else file.read_bytes()
