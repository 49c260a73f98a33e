"""How large an image may be."""

from __future__ import annotations

from PIL import Image


def check_pixels(height: int, width: int, where: object, bands: int = 1) -> None:
    """Refuse arrays of more pixels than Pillow decodes (`PIL.Image.MAX_IMAGE_PIXELS`, twice).

    With more than four bands fewer pixels are allowed, so that the memory is that of RGBA.

    Raises:
        ValueError: The image is too large.
    """
    pixels = height * width * max(1, bands / 4)
    if Image.MAX_IMAGE_PIXELS is not None and pixels > 2 * Image.MAX_IMAGE_PIXELS:
        raise ValueError(too_large(where))


def too_large(where: object) -> str:
    """Return the sentence about an image of too many pixels."""
    return (
        f"{where}: the image has more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels, which may "
        "be an attack on the memory; cut it into tiles, or raise PIL.Image.MAX_IMAGE_PIXELS"
    )
