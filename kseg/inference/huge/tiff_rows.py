"""TIFF files of any size, read by tifffile in their own strips or tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kseg.inference.huge.raw_rows import RawRows

_GREY, _RGB = 1, 2
_PLANES = 2
_ALPHA = (1, 2)
# None, LZW, deflate (two numbers), LZMA, PackBits, Zstandard.
_COMPRESSIONS = (1, 5, 8, 32946, 34925, 32773, 50000)
_KINDS = "uf"
_LARGEST_BLOCK = 2**28
"""Bytes of a row of strips or tiles; larger ones are left to libvips, which reads within them."""


class BlockRows:
    """Reads the rows of one page; a row of its tiles, or a strip, is decoded and kept.

    Args:
        path: The file.
        page: The page (tifffile's).
        alpha: The last channel is transparency.

    Raises:
        ValueError: The first strip or tiles are damaged.
    """

    def __init__(self, path: Path, page: Any, alpha: bool):
        self._path, self._page = path, page
        self.shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        self.dtype = np.dtype(page.dtype).newbyteorder("=")
        self.alpha = alpha
        self._segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        self._tall, wide = page.chunks[:2]
        self._across, self._down = -(-self.shape[1] // wide), -(-self.shape[0] // self._tall)
        self._planes = self.shape[2] if page.planarconfig == _PLANES else 1
        if len(self._segments) != self._across * self._down * self._planes:
            raise ValueError(f"{path}: the image is damaged (strips or tiles are missing)")
        self._kept, self._block = 0, self._decode(0)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`."""
        parts = []
        for number in range(start // self._tall, -(-stop // self._tall)):
            if number != self._kept:
                self._kept, self._block = number, self._decode(number)
            top = number * self._tall
            parts.append(self._block[max(start - top, 0) : stop - top])
        return np.concatenate(parts)

    def _decode(self, number: int) -> np.ndarray:
        height, width, channels = self.shape
        rows = min(self._tall, height - number * self._tall)
        block = np.full((rows, width, channels), self._page.nodata, self.dtype)
        with self._path.open("rb") as file:
            for plane in range(self._planes):
                target = block[..., plane : plane + 1] if self._planes > 1 else block
                first = (plane * self._down + number) * self._across
                for index in range(first, first + self._across):
                    offset, count = self._segments[index]
                    file.seek(offset)
                    self._paste(target, index, file.read(count), count)
        return block

    def _paste(self, block: np.ndarray, index: int, data: bytes, count: int) -> None:
        if len(data) < count:
            raise ValueError(f"{self._path}: the image is truncated")
        try:
            segment, (_, _, _, left, _), _ = self._page.decode(data or None, index)
        except Exception as error:  # decoders end in errors of any kind
            raise ValueError(f"{self._path}: the image is damaged ({error})") from None
        if segment is not None:
            target = block[:, left : left + segment.shape[2]]
            target[:] = segment[0, : len(target), : target.shape[1]]


class StackedRows:
    """Reads the rows of several pages as the bands of one image."""

    alpha = False

    def __init__(self, planes: Sequence[RawRows | BlockRows]):
        self._planes = planes
        self.shape = (*planes[0].shape[:2], len(planes))
        self.dtype = planes[0].dtype

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `(stop - start, W, channels)`."""
        return np.concatenate([plane.rows(start, stop) for plane in self._planes], axis=-1)


def tiff_rows(path: Path, page: int | None) -> RawRows | BlockRows | StackedRows | None:
    """Open a page, or pages of one band each; None where another reader is needed.

    Args:
        path: The file.
        page: Page to read, from 0, previews not counted. By default the only one, or all if they
            are the bands of one image.

    Raises:
        ValueError: The file is damaged or has no such page.
    """
    pages = _full_pages(path)
    if page is None and len(pages) > 1:
        return _bands(path, pages)
    if not 0 <= (page or 0) < len(pages):
        raise ValueError(f"{path}: there is no page {page}, the file has {len(pages)}")
    return _page_rows(path, pages[page or 0])


def _full_pages(path: Path) -> list[Any]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            every: Any = file.pages
            pages = [one.aspage() for one in every if not one.is_reduced]
            for one in pages:
                # What is read from the file at its first use.
                _ = one.dataoffsets, one.databytecounts, one.nodata, one.decode
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:
        raise ValueError(f"{path}: the image is damaged ({error})") from None
    if not pages or any(0 in one.shape or not one.dataoffsets for one in pages):
        raise ValueError(f"{path}: the image is damaged (no page in it, or a bad header)")
    return pages


def _bands(path: Path, pages: Sequence[Any]) -> StackedRows:
    first = pages[0]
    if any(
        one.shape != first.shape or one.dtype != first.dtype or one.samplesperpixel > 1
        for one in pages
    ):
        raise ValueError(
            f"{path}: the file has {len(pages)} pages, which are no bands of one image; save one "
            "image per file"
        )
    planes = [_page_rows(path, one) for one in pages]
    if None in planes:
        raise ValueError(
            f"{path}: bands in pages of their own, compressed or coloured like these, cannot be "
            "read row by row; save them without compression"
        )
    return StackedRows([plane for plane in planes if plane])


def _page_rows(path: Path, page: Any) -> RawRows | BlockRows | None:
    if not _is_plain(page):
        return None
    height, width, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    alpha = bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA
    if page.is_final:
        size = height * width * page.dtype.itemsize
        planes = channels if page.planarconfig == _PLANES else 1
        offsets = [page.dataoffsets[0] + plane * size for plane in range(planes)]
        shape = height, width, channels // planes
        return RawRows(path, offsets, shape, _stored_type(page), alpha)
    block = page.chunks[0] * width * channels * page.dtype.itemsize
    if page.compression not in _COMPRESSIONS or block > _LARGEST_BLOCK:
        return None
    try:
        return BlockRows(path, page, alpha)
    except ValueError as error:
        if "imagecodecs" in str(error):
            return None
        raise


def _is_plain(page: Any) -> bool:
    """Tell whether the values of a page are grey or RGB as they are stored, and upright."""
    turned = page.tags.get("Orientation")
    return (
        page.photometric in (_GREY, _RGB)
        and page.dtype is not None
        and page.dtype.kind in _KINDS
        and page.bitspersample == page.dtype.itemsize * 8
        and page.imagedepth == 1
        and (turned is None or turned.value == 1)
    )


def _stored_type(page: Any) -> np.dtype:
    return np.dtype(page.parent.byteorder + page.dtype.char)
