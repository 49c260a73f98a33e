"""Label maps in 8-bit PNG without row filters, as palette files are commonly written.

Decoders of PNG go row by row because of the filters, and spend most of their time on unpacking
little parts. Where no row is filtered, zlib-ng unpacks the whole at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import png
from zlib_ng import zlib_ng

from kseg.data.decode import Decoded
from kseg.data.limits import check_pixels

Chunks = list[tuple[bytes, bytes]]
"""Types and contents of the parts of a file."""

_HEADER = struct.Struct(">16xIIBBBBB")
_GREY, _PALETTE = 0, 3
# Others may turn the image (eXIf, texts with XMP) or make colours transparent (tRNS).
_HARMLESS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"cHRM", b"sRGB")


def read_plain_png(path: Path, start: bytes) -> Decoded | None:
    """Decode the values of a label map; None where the file is damaged, or not so simple.

    Args:
        path: A PNG file.
        start: Its first bytes, with the header.

    Raises:
        ValueError: The image is too large.
    """
    width, height, bits, kind, *methods = _HEADER.unpack_from(start)
    if bits != 8 or kind not in (_GREY, _PALETTE) or any(methods):
        return None
    check_pixels(height, width, path)
    try:
        with path.open("rb") as file:
            chunks = list(png.Reader(file=file).chunks())
        data = _unpacked(chunks, height * (width + 1))
    except Exception:  # damaged: the usual decoder says how
        return None
    rows = None if data is None else np.frombuffer(data, np.uint8).reshape(height, width + 1)
    if rows is None or rows[:, 0].any():
        return None
    return Decoded(np.ascontiguousarray(rows[:, 1:, None]), palette=_palette(chunks, kind))


def _unpacked(chunks: Chunks, size: int) -> bytes | None:
    """Return the packed bytes where they are `size` ones and nothing else matters."""
    if any(kind not in _HARMLESS for kind, _ in chunks):
        return None
    unpacking = zlib_ng.decompressobj()
    data = unpacking.decompress(b"".join(_contents(chunks, b"IDAT")), size + 1)
    return data if len(data) == size and unpacking.eof else None


def _palette(chunks: Chunks, kind: int) -> np.ndarray | None:
    if kind != _PALETTE:
        return None
    return np.frombuffer(b"".join(_contents(chunks, b"PLTE")), np.uint8).reshape(-1, 3)


def _contents(chunks: Chunks, wanted: bytes) -> Iterator[bytes]:
    return (data for kind, data in chunks if kind == wanted)
