"""Images inside JSON: base64 text to pixels, bounded before anything is unpacked."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import numpy as np
from PIL import Image

from kseg.data.channels import to_byte_range, to_channels
from kseg.data.decode import from_pillow, too_large
from kseg.data.labelme.shapes import Shape

_IMAGE_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


def decode_base64(text: str, where: str) -> bytes:
    """Decode base64 text.

    Raises:
        ValueError: A character that is none of base64's, or text cut short.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{where} is no complete base64 text ({error})") from None


def open_embedded(
    data: bytes, where: str, formats: tuple[str, ...] = _IMAGE_FORMATS
) -> Image.Image:
    """Open an image in memory, without decoding its pixels.

    Raises:
        ValueError: No image, or one of more pixels than Pillow takes for safe.
    """
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise ValueError(too_large(where)) from None
    # Decoders raise whatever their parser stumbles on when bytes are hostile.
    except Exception:
        raise ValueError(f"{where} is no {'/'.join(formats)} image that can be read") from None


def load_pixels(image: Image.Image, where: str) -> Image.Image:
    """Decode the pixels of an opened image.

    Raises:
        ValueError: The image is truncated or damaged.
    """
    try:
        image.load()
    except Exception as error:
        raise ValueError(f"{where} is damaged ({error})") from None
    return image


def decode_pixels(image: Image.Image, path: Path, channels: int) -> np.ndarray:
    """Return the pixels `(H, W, channels)` of an opened image as they are stored, in 0..255.

    Args:
        image: The image.
        path: The JSON file, for messages.
        channels: See `kseg.data.io.read_image`.

    Raises:
        ValueError: The image is damaged or has other channels.
    """
    stored = load_pixels(image, f"{path}: imageData").copy()
    # Without EXIF data: labelme shows embedded images unturned.
    stored.info = {key: stored.info[key] for key in ("transparency",) if key in stored.info}
    return to_byte_range(to_channels(from_pillow(stored, path), channels, path), path)


def decode_mask(shape: Shape, size: tuple[int, int]) -> tuple[tuple[int, int], np.ndarray]:
    """Decode a shape of the kind "mask".

    Args:
        shape: The shape; its points are the first and the last pixel of the mask.
        size: Height and width of the image.

    Returns:
        The mask's first column and row, and its pixels, bool `(h, w)`.

    Raises:
        ValueError: The box does not lie in the image, the text is no PNG of one channel, or the
            PNG is not as large as the box.
    """
    (left, top), (right, bottom) = ((int(x), int(y)) for x, y in shape.points)
    if not (0 <= left <= right < size[1] and 0 <= top <= bottom < size[0]):
        raise ValueError(
            f"{shape.where}: the mask's box {left},{top} to {right},{bottom} is not inside the "
            f"image of {size[1]}x{size[0]} pixels"
        )
    where = f"{shape.where}: mask"
    image = open_embedded(decode_base64(shape.mask or "", where), where, ("PNG",))
    box = right - left + 1, bottom - top + 1
    if image.size != box or len(image.getbands()) != 1:
        raise ValueError(
            f"{where} must be a PNG of one channel and {box[0]}x{box[1]} pixels, as its box, got "
            f"{image.mode} {image.width}x{image.height}"
        )
    return (left, top), np.asarray(load_pixels(image, where)) != 0
