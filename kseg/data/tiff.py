"""TIFF files: any number of bands, 8 to 64 bits, and several pages.

Pillow reads the usual ones. It would drop bands above the third and the lower half of 16-bit
colours, so tifffile reads those. It knows deflate, and with the package imagecodecs LZW and others;
without that package OpenCV reads those of up to four bands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kseg.data.decode import GREY_STRETCH, Decoded, from_pillow, open_image, rgb_of_bgr
from kseg.data.limits import check_pixels
from kseg.data.orientation import upright

_ALPHA = (1, 2)
_MOST_OF_OPENCV = 4
_PALETTE, _RGB, _CMYK, _YCBCR = 3, 2, 5, 6
_LAB = (8, 9, 10)


def read_tiff(path: Path, page: int | None = None, *, as_labels: bool = False) -> Decoded:
    """Decode one page of a TIFF file; pages of one band each are bands if no page is asked for.

    Args:
        path: The file.
        page: Page to read, from 0.
        as_labels: Keep palette indices and the values of 2- and 4-bit grey as they are stored.

    Raises:
        ValueError: The file is damaged, has no such page, or needs a package that is missing.
    """
    pages = full_pages(path)
    if page is None and len(pages) > 1:
        _require_bands(pages, path)
        planes = [_read_page(path, one, as_labels).array for one in pages]
        return Decoded(np.concatenate(planes, axis=-1))
    if not 0 <= (page or 0) < len(pages):
        raise ValueError(f"{path}: there is no page {page}, the file has {len(pages)}")
    return _read_page(path, pages[page or 0], as_labels)


def count_pages(path: Path) -> int:
    """Return the number of pages of a TIFF file, without its previews.

    Raises:
        ValueError: The file is missing or no TIFF file.
    """
    return len(full_pages(path))


def full_pages(path: Path) -> list[Any]:
    """Return the headers (tifffile's) of the pages that are no smaller copy of another.

    Raises:
        ValueError: The file is missing, damaged or too large.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            every: Any = file.pages
            pages = [page for page in every if not page.is_reduced]
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:
        raise ValueError(f"{path}: the image is damaged ({error})") from None
    if not pages or not all(map(_has_sound_header, pages)):
        raise ValueError(f"{path}: the image is damaged (no page in it, or a bad header)")
    for page in pages:
        check_pixels(page.imagelength, page.imagewidth, path, page.samplesperpixel)
    return pages


def _has_sound_header(page: Any) -> bool:
    names = ("imagelength", "imagewidth", "samplesperpixel", "bitspersample")
    return all(isinstance(getattr(page, name), int) for name in names)


def _require_bands(pages: list[Any], path: Path) -> None:
    sizes = {(page.imagelength, page.imagewidth) for page in pages}
    if len(sizes) > 1 or any(page.samplesperpixel > 1 for page in pages):
        raise ValueError(
            f"{path}: the file has {len(pages)} pages, which are no bands of one image; save one "
            "image per file"
        )
    height, width = sizes.pop()
    check_pixels(height, width, path, len(pages))


def _read_page(path: Path, page: Any, as_labels: bool) -> Decoded:
    if page.photometric in _LAB:
        raise ValueError(f"{path}: its colours are CIE Lab, no RGB; save the image in RGB")
    if _pillow_keeps_all(page):
        with open_image(path) as image:
            stretch = GREY_STRETCH.get(page.bitspersample, 1) if page.photometric != _PALETTE else 1
            return from_pillow(image, path, page=page.index, stretch=stretch if as_labels else None)
    return _read_with_tifffile(path, page)


def _pillow_keeps_all(page: Any) -> bool:
    bands, bits, colours = page.samplesperpixel, page.bitspersample, page.photometric
    if bands == 1:
        return bits <= 16 or (bits == 32 and page.dtype == np.float32)
    if bits != 8:
        return False
    if bands == 3:
        return colours in (_RGB, _YCBCR)
    return bands == 4 and (colours == _CMYK or (colours == _RGB and _has_alpha(page)))


def _has_alpha(page: Any) -> bool:
    return bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA


def _read_with_tifffile(path: Path, page: Any) -> Decoded:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            array = file.pages[page.index].asarray()
    except Exception as error:
        if "imagecodecs" in str(error):
            return _read_with_opencv(path, page)
        raise ValueError(f"{path}: the image is damaged ({error})") from None
    # Bands may be stored as planes, (C, H, W).
    if array.ndim == 3 and page.axes.startswith("S"):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError(f"{path}: the image is damaged (its pixels have the shape {array.shape})")
    tag = page.tags.get("Orientation")
    return Decoded(upright(array, tag.value if tag else 1), alpha=_has_alpha(page))


def _read_with_opencv(path: Path, page: Any) -> Decoded:
    """Read LZW and the like, as OpenCV itself writes; it turns TIFF files upright."""
    image = None
    if page.index == 0 and page.samplesperpixel <= _MOST_OF_OPENCV:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(
            f"{path}: this compression needs one more package, pip install imagecodecs; or save "
            "the file without compression"
        )
    return Decoded(rgb_of_bgr(image), alpha=_has_alpha(page))
