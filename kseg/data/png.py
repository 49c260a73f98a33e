"""Ordinary label maps in PNG files by ISA-L's inflate: what Pillow reads, in half of its time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from isal import isal_zlib

from kseg.data.limits import check_pixels

_SIGNATURE = 8
# Bits, kind of colour, and ways of compression, filtering and interlacing: grey, and palette.
_FORMS = bytes([8, 0, 0, 0, 0]), bytes([8, 3, 0, 0, 0])
# Chunks that leave the pixels as they are; an EXIF orientation, for example, is for Pillow.
_HARMLESS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"sRGB", b"tIME"}


class PlainPng(NamedTuple):
    """What an ordinary file holds.

    Attributes:
        values: Grey values or palette indices, uint8 `(H, W)`.
        palette: Colours `(N, 3)` uint8 of the indices, or None.
    """

    values: np.ndarray
    palette: np.ndarray | None


def decode_plain_png(data: bytes, where: object) -> PlainPng | None:
    """Decode a PNG file of one byte a pixel; None where it is not an ordinary one.

    Ordinary are grey and palette images whose rows are stored without a filter, which the PNG
    specification advises for palettes. Others, and damaged ones, are left to Pillow, which can
    read them or say what is wrong.

    Args:
        data: The file.
        where: Its name, for the message.

    Raises:
        ValueError: The image has more pixels than Pillow allows.
    """
    chunks = list(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] + kinds[-1:] != [b"IHDR", b"IEND"] or not _HARMLESS.issuperset(kinds):
        return None
    head, palette = chunks[0][1], dict(chunks).get(b"PLTE")
    if head[8:] != _FORMS[palette is not None] or len(palette or b"") % 3:
        return None
    width, height = struct.unpack_from(">II", head)
    check_pixels(height, width, where)
    values = _rows(b"".join(body for kind, body in chunks if kind == b"IDAT"), height, width)
    if values is None or palette is None:
        return None if values is None else PlainPng(values, None)
    return PlainPng(values, np.frombuffer(palette, np.uint8).reshape(-1, 3))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Cut a file into its chunks, up to the first damaged one."""
    place = _SIGNATURE
    while place + 12 <= len(data):
        end = place + 8 + struct.unpack_from(">I", data, place)[0]
        kind_and_body, checksum = data[place + 4 : end], data[end : end + 4]
        if isal_zlib.crc32(kind_and_body).to_bytes(4, "big") != checksum:
            return
        yield kind_and_body[:4], kind_and_body[4:]
        place = end + 4


def _rows(packed: bytes, height: int, width: int) -> np.ndarray | None:
    """Unpack rows of one byte a pixel, each after the number of its filter; None unless all 0."""
    if not height or not width:
        return None
    stream = isal_zlib.decompressobj()
    try:
        # Files with filters mostly show that at once.
        first = stream.decompress(packed, width + 1)
        if first[:1] != b"\0":
            return None
        rest = stream.decompress(stream.unconsumed_tail, (height - 1) * (width + 1) + 1)
    except isal_zlib.error:  # type: ignore[misc]
        return None
    if len(first) + len(rest) != height * (width + 1) or not stream.eof:
        return None
    others = np.frombuffer(rest, np.uint8).reshape(height - 1, width + 1)
    if others[:, 0].any():
        return None
    values = np.empty((height, width), np.uint8)
    values[0] = np.frombuffer(first, np.uint8)[1:]
    values[1:] = others[:, 1:]
    return values
