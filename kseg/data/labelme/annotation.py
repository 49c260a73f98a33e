"""One labelme JSON file, checked before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kseg.data.labelme.shapes import Shape, parse_shape
from kseg.data.labelme.strict_json import parse_json, quote, read_bytes


@dataclass(frozen=True)
class Annotation:
    """The content of a labelme file, of versions 2 to 6.

    Attributes:
        path: The JSON file.
        shapes: Its shapes in the order of drawing: later ones cover earlier ones.
        image_path: `imagePath` as it stands in the file, or None.
        image_data: The embedded image in base64, or None.
        size: `imageHeight` and `imageWidth`, or None where the file does not say.
    """

    path: Path
    shapes: tuple[Shape, ...]
    image_path: str | None
    image_data: str | None
    size: tuple[int, int] | None


def read_annotation(path: Path) -> Annotation:
    """Read and check a labelme file.

    Raises:
        ValueError: See `parse_annotation`; or the file is missing or larger than 512 MiB.
    """
    return parse_annotation(read_bytes(path), path)


def parse_annotation(data: bytes, path: Path) -> Annotation:
    """Check the content of a labelme file.

    Args:
        data: UTF-8 JSON.
        path: Name of the file for messages.

    Raises:
        ValueError: One sentence with the file, the index of the shape where it is about one, and
            what is wrong.
    """
    raw = parse_json(data, path)
    if not isinstance(raw, dict) or not isinstance(raw.get("shapes"), list):
        raise ValueError(f"{path}: this is no labelme file, it has no list of shapes")
    image_path, image_data = _text(raw, "imagePath", path), _text(raw, "imageData", path)
    if image_path is None and image_data is None:
        raise ValueError(f"{path}: there is neither imagePath nor imageData, so no image")
    return Annotation(
        path=path,
        shapes=tuple(
            parse_shape(shape, f"{path}: shapes[{index}]")
            for index, shape in enumerate(raw["shapes"])
        ),
        image_path=image_path,
        image_data=image_data,
        size=_size(raw, path),
    )


def _text(raw: dict[str, Any], key: str, path: Path) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError(f"{path}: {key} must be a text or null, got {quote(value)}")
    return value


def _size(raw: dict[str, Any], path: Path) -> tuple[int, int] | None:
    height, width = raw.get("imageHeight"), raw.get("imageWidth")
    if height is None and width is None:
        return None
    if type(height) is int and type(width) is int and min(height, width) > 0:
        return height, width
    raise ValueError(
        f"{path}: imageHeight and imageWidth must be whole numbers above 0, got {quote(height)} "
        f"and {quote(width)}"
    )
