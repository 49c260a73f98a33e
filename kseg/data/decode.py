"""From a file to the array it holds: JPEG, PNG, GIF, TIFF with any number of bands, NumPy, ..."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from kseg.data.limits import check_pixels, too_large
from kseg.data.orientation import upright

PNG_START, JPEG_START, NUMPY_START = b"\x89PNG", b"\xff\xd8", b"\x93NUMPY"
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_END_MARKERS = {JPEG_START: b"\xff\xd9", PNG_START: b"IEND"}
_HEADER = 32
_ORIENTATION = 274
# Pillow stretches grey values of few bits to 0..255, by these factors.
GREY_STRETCH = {2: 85, 4: 17}


@dataclass(frozen=True)
class Decoded:
    """What a file holds.

    Attributes:
        array: `(H, W, C)` in the type of the file; 1-bit files are bool.
        alpha: The last channel is transparency.
        palette: Colours `(N, 3)` uint8 of the values, where those are palette indices.
    """

    array: np.ndarray
    alpha: bool = False
    palette: np.ndarray | None = None


def decode_file(path: Path, page: int | None = None, *, as_labels: bool = False) -> Decoded:
    """Decode an image upright, with all its channels in their own depth.

    Args:
        path: File of any format, known by its first bytes and not by its name.
        page: Page of a TIFF file with several.
        as_labels: Keep palette indices and the values of 2- and 4-bit grey as they are stored.

    Raises:
        ValueError: The file is missing, damaged, too large or no image, or its values are no
            labels as they are stored.
    """
    start = first_bytes(path)
    if start.startswith(TIFF_STARTS):
        from kseg.data.tiff import read_tiff

        return read_tiff(path, page, as_labels=as_labels)
    if page:
        raise ValueError(f"{path}: page {page} is asked for, but only TIFF files have pages")
    if start.startswith(NUMPY_START):
        return Decoded(_with_channels(_read_numpy(path)))
    if start.startswith(PNG_START) and start[24] == 16 and start[25] != 0:
        return _read_deep_png(path)
    with open_image(path) as image:
        if as_labels:
            _refuse_stretched(image, path)
        return from_pillow(image, path, stretch=_grey_stretch(start) if as_labels else None)


def _refuse_stretched(image: ImageFile.ImageFile, path: Path) -> None:
    """Refuse PGM and PPM whose values Pillow stretches, after it has cut off those too high."""
    options = image.tile[0][-1] if image.format == "PPM" and image.mode != "F" else None
    highest = 65535 if image.mode == "I" else 255
    if isinstance(options, tuple) and options[-1] != highest:
        raise ValueError(
            f"{path}: its header gives {options[-1]} as the highest value, and label maps in PGM "
            "are read with 255 or 65535 there; save the label map as 8-bit grey PNG"
        )


def _grey_stretch(png_header: bytes) -> int:
    is_grey_png = png_header.startswith(PNG_START) and png_header[25] == 0
    return GREY_STRETCH.get(png_header[24], 1) if is_grey_png else 1


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file, padded with zeros: the signature and a PNG's header.

    Raises:
        ValueError: The file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(_HEADER).ljust(_HEADER, b"\0")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None


def open_image(path: Path) -> ImageFile.ImageFile:
    """Open an image without decoding it, for its size and mode.

    Raises:
        ValueError: The file is missing, no image, or has more pixels than Pillow allows.
    """
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: this is no image file that can be decoded") from None
    except Image.DecompressionBombError:
        raise ValueError(too_large(path)) from None
    except Exception as error:  # damaged headers end in errors of any kind
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path}: cannot be read ({reason})") from None


def from_pillow(
    image: Image.Image, path: Path, *, page: int = 0, stretch: int | None = None
) -> Decoded:
    """Decode an open image, turned as its EXIF orientation says.

    Args:
        image: The image.
        path: Its file, for messages.
        page: Its page to read.
        stretch: None makes colours of palettes, and RGB of CMYK and other colour spaces. For label
            maps the factor of grey values that is to be undone; palette indices stay.

    Raises:
        ValueError: The file is damaged.
    """
    image = load_pixels(image, path, page)
    # Not in place, upright images would be copied too.
    ImageOps.exif_transpose(image, in_place=True)
    if stretch is not None:
        return _stored_values(image, stretch)
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa", "La"):
        image = image.convert("RGBA" if image.mode == "RGBa" else "RGB")
    return Decoded(_with_channels(np.asarray(image)), alpha=image.mode in ("LA", "RGBA"))


def _stored_values(image: Image.Image, stretch: int) -> Decoded:
    array = _with_channels(np.asarray(image))
    palette = image.getpalette("RGB") if image.mode == "P" else None
    return Decoded(
        array // stretch if stretch > 1 else array,
        alpha=image.mode in ("LA", "PA", "RGBA"),
        palette=None if palette is None else np.array(palette, np.uint8).reshape(-1, 3),
    )


def load_pixels(image: Image.Image, path: Path, page: int = 0) -> Image.Image:
    """Decode the pixels of an open image, or of another page of it.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        if page:
            image.seek(page)
        image.load()
    except Exception as error:  # decoders end in errors of any kind
        raise ValueError(f"{path}: the image is damaged ({error})") from None
    return image


def read_colour_fast(path: Path, data: np.ndarray, flags: int) -> np.ndarray | None:
    """Decode JPEG or PNG by OpenCV, which turns them by EXIF; None where it cannot.

    Args:
        path: The file, for its header and messages.
        data: Its bytes. Decoded from memory, because OpenCV cannot open every path everywhere.
        flags: OpenCV's `IMREAD_...`.

    Raises:
        ValueError: The image is truncated or too large.
    """
    open_image(path).close()
    # First, for libpng itself would print a line about a file that is cut off.
    _check_end(path, data)
    return cv2.imdecode(data, flags)


def _check_end(path: Path, data: np.ndarray) -> None:
    """Look for the format's end marker; OpenCV fills what is missing with grey, silently."""
    start, tail = data[:4].tobytes(), data[-4096:].tobytes()
    for magic, end in _END_MARKERS.items():
        if start.startswith(magic) and end not in tail:
            raise ValueError(f"{path}: the image is truncated")


def exif_orientation(path: Path) -> int:
    """Return the EXIF orientation of an image, 1..8; 1 is upright, also where there is none."""
    with open_image(path) as image:
        value = image.getexif().get(_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _read_deep_png(path: Path) -> Decoded:
    """Read 16 bits per channel, of which Pillow would keep 8."""
    image = read_colour_fast(path, np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: the image is damaged")
    turned = upright(rgb_of_bgr(image), exif_orientation(path))
    return Decoded(turned, alpha=image.shape[-1] == 4)


def rgb_of_bgr(image: np.ndarray) -> np.ndarray:
    """Return an image of OpenCV `(H, W)` or `(H, W, C)` with red first, as `(H, W, C)`."""
    image = _with_channels(image)
    return image[..., (2, 1, 0, 3)[: image.shape[-1]]] if image.shape[-1] >= 3 else image


def open_numpy(path: Path) -> np.ndarray:
    """Map a NumPy file of an image `(H, W)` or `(H, W, bands)` into memory.

    Raises:
        ValueError: The file is damaged or holds no image.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy parses the header as Python
        raise ValueError(f"{path}: no NumPy array can be read from it ({error})") from None
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(
            f"{path}: the array has the shape {array.shape}; an image is (height, width) or "
            "(height, width, bands)"
        )
    return array


def _read_numpy(path: Path) -> np.ndarray:
    array = open_numpy(path)
    height, width, bands = (*array.shape, 1)[:3]
    check_pixels(height, width, path, bands)
    return np.array(array)


def _with_channels(array: np.ndarray) -> np.ndarray:
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array[..., None] if array.ndim == 2 else array
