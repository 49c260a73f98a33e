"""Decoding of label maps: class numbers, palette indices, or colours by a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kseg.data.colours import Colour, labels_of_colours, labels_of_palette
from kseg.data.decode import JPEG_START, PNG_START, Decoded, decode_file, first_bytes
from kseg.data.plain_png import read_plain_png

LOSSY_SUFFIXES = (".jpeg", ".jpg")
# Where the parts of a WebP file begin, and the length of what comes before those of a frame.
_WEBP_PARTS, _WEBP_FRAME = 12, 16


def read_mask(
    path: Path, *, page: int | None = None, colours: Sequence[Colour] | None = None
) -> np.ndarray:
    """Decode a label map `(H, W)`: grey values or palette indices, never colours as numbers.

    A 1-bit mask gives 0 and 1, a 2-bit one 0..3, and 16-bit masks keep their values. The mask is
    turned by its own EXIF orientation, as images are.

    Args:
        path: Label file: an image, or a NumPy file of integers.
        page: Page of a TIFF file with several.
        colours: Colour of label 0, 1, ..., for label maps saved in colours. Palette files are read
            by their colours too, or as indices where they have others, see `labels_of_palette`.

    Raises:
        ValueError: The file is missing or damaged, lossy (JPEG, WebP), a colour image without a
            table of colours, or has colours that are not in it.
    """
    start = JPEG_START if path.suffix.lower() in LOSSY_SUFFIXES else first_bytes(path)
    if is_lossy(path, start):
        raise ValueError(f"{path}: JPEG changes label values; save label maps as PNG")
    decoded = _decode(path, page, start)
    if decoded.palette is not None:
        indices = decoded.array[..., 0]
        if colours is None:
            return indices
        return labels_of_palette(indices, decoded.palette, colours, path)
    bands = decoded.array[..., :-1] if decoded.alpha else decoded.array
    if bands.shape[-1] == 1:
        return _integers(bands[..., 0], path)
    if colours is not None and bands.shape[-1] == 3 and bands.dtype == np.uint8:
        return labels_of_colours(bands, colours, path)
    return _integers(_grey_of_equal_bands(bands, path), path)


def _decode(path: Path, page: int | None, start: bytes) -> Decoded:
    usual = start.startswith(PNG_START) and not page
    plain = read_plain_png(path, start) if usual else None
    return decode_file(path, page, as_labels=True) if plain is None else plain


def is_lossy(path: Path, start: bytes) -> bool:
    """Tell whether a file's values were changed when it was saved: JPEG and lossy WebP.

    Args:
        path: The file.
        start: Its first bytes.
    """
    if start.startswith(JPEG_START):
        return True
    is_webp = start.startswith(b"RIFF") and start[8:12] == b"WEBP"
    return is_webp and _webp_coding(path) == b"VP8 "


def _webp_coding(path: Path) -> bytes:
    """Return the type of the part that holds the pixels: "VP8 " is lossy, "VP8L" is not.

    Files with metadata, transparency or several pictures have other parts before it.
    """
    place, kind = _WEBP_PARTS, b""
    with path.open("rb") as file:
        while kind not in (b"VP8 ", b"VP8L"):
            file.seek(place)
            head = file.read(8)
            if len(head) < 8:
                return b""
            kind, size = head[:4], int.from_bytes(head[4:], "little")
            # A picture of several has parts of its own. All begin at even places.
            place += 8 + (_WEBP_FRAME if kind == b"ANMF" else size + size % 2)
    return kind


def _integers(labels: np.ndarray, path: Path) -> np.ndarray:
    if labels.dtype == bool:
        return labels.astype(np.uint8)
    if labels.dtype in (np.uint8, np.uint16):
        return labels
    # Some programs save labels as 32-bit floating-point TIFF.
    is_number = labels.dtype.kind in "iuf" and bool(np.isfinite(labels).all())
    if not is_number or not (labels == np.rint(labels)).all():
        raise ValueError(f"{path}: a label map holds whole numbers, these are {labels.dtype}")
    return labels.astype(_small_type(int(labels.min()), int(labels.max()), path))


def _small_type(low: int, high: int, path: Path) -> type[np.integer]:
    """Return a type that holds labels and that OpenCV can resize."""
    if low < -(2**31) or high >= 2**31:
        raise ValueError(f"{path}: the values {low}..{high} are no labels")
    if low < 0 or high > 65535:
        return np.int32
    return np.uint8 if high <= 255 else np.uint16


def _grey_of_equal_bands(bands: np.ndarray, path: Path) -> np.ndarray:
    if bands.shape[-1] <= 3 and (bands == bands[..., :1]).all():
        return bands[..., 0]
    raise ValueError(
        f"{path}: this is a colour image, not a label map; its pixels must be class numbers "
        "(8-bit grey or palette PNG), or put a table of colours beside the data: class_dict.csv"
    )
