"""Files are read row by row as they are read whole, and damage is named."""

import re
import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data.io import read_image
from kseg.inference.huge import (
    open_source,
)
from tests.inference.huge_images import (
    WRITERS,
    random_image,
)


@pytest.mark.parametrize("name", WRITERS)
def test_rows_of_a_file_are_those_of_the_whole_image(name, tmp_path):
    WRITERS[name](tmp_path / name)
    channels = 1 if name == "bits.png" else 3
    expected = read_image(tmp_path / name, channels)
    source = open_source(tmp_path / name, channels)
    assert source.shape == expected.shape
    parts, start = [], 0
    for count in (1, 30, 5, 999):
        parts.append(source.rows(start, min(start + count, len(expected))))
        start += count
    assert all(part.dtype == expected.dtype for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_rows_of_a_jpeg_are_those_of_the_whole_image(tmp_path):
    smooth = cv2.GaussianBlur(random_image(), (9, 9), 3)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    found = open_source(tmp_path / "a.jpg").rows(0, 77)
    # Decoders round differently.
    assert np.abs(found.astype(int) - read_image(tmp_path / "a.jpg")).max() <= 2


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_inks_become_the_colours_of_the_whole_image(name, tmp_path):
    smooth = cv2.GaussianBlur(random_image(channels=4), (9, 9), 3)
    Image.fromarray(smooth, "CMYK").save(tmp_path / name, quality=95)
    found = open_source(tmp_path / name).rows(0, 77)
    expected = read_image(tmp_path / name).astype(int)
    # Decoders of JPEG round differently.
    assert np.abs(found - expected).max() <= 2 * (name == "a.jpg")
    assert np.ptp(expected) > 50


@pytest.mark.parametrize("name", ["a.bmp", "a.ppm"])
def test_kinds_that_libvips_does_not_know_are_read_whole(name, tmp_path, monkeypatch):
    Image.fromarray(random_image()).save(tmp_path / name)
    np.testing.assert_array_equal(open_source(tmp_path / name).rows(0, 77), random_image())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=f"{name}: .* cannot be read row by row here; save it as"):
        open_source(tmp_path / name)


def fully(path, **options):
    source = open_source(path, **options)
    return [source.rows(top, top + 1) for top in range(source.shape[0])]


def cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


@pytest.mark.parametrize("name", ["rgb.npy", "plain.tif", "rgb.png", "raw_tiles.tif"])
def test_a_truncated_file_is_refused(name, tmp_path):
    WRITERS[name](tmp_path / name)
    cut(tmp_path / name)
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / name))):
        fully(tmp_path / name)


def test_a_truncated_jpeg_is_refused(tmp_path):
    Image.fromarray(random_image()).save(tmp_path / "a.jpg")
    cut(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg"):
        fully(tmp_path / "a.jpg")


def test_damaged_tiles_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    WRITERS["tiles.tif"](path)
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[3]
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tif: the image is damaged"):
        fully(path)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((4, 4, 5), "uint8"), "has 5 channels, which cannot become 3"),
        (np.zeros((4, 4, 3), "int32"), "the values are int32; save images as uint8"),
        (np.full((4, 4, 3), 300.0), r"the values are 300\.\.300; bring floating-point images"),
        (np.full((4, 4, 3), 0.5), r"no value is above 0\.5, which would be black"),
        (np.zeros((4, 0, 3), "uint8"), "the array has the shape"),
    ],
)
def test_values_that_are_no_image_are_refused(array, sentence, tmp_path):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=sentence):
        fully(tmp_path / "a.npy")


def test_dark_rows_of_a_floating_point_image_are_allowed(tmp_path):
    image = np.full((4, 4, 3), 0.5)
    image[3] = 200
    np.save(tmp_path / "a.npy", image)
    assert len(fully(tmp_path / "a.npy")) == 4


def test_pages_are_chosen_and_missing_ones_refused(tmp_path):
    pages = np.stack([random_image(), 255 - random_image()])
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    found = open_source(tmp_path / "a.tif", page=1).rows(0, 77)
    np.testing.assert_array_equal(found, pages[1])
    with pytest.raises(ValueError, match="there is no page 2, the file has 2"):
        open_source(tmp_path / "a.tif", page=2)
    with pytest.raises(ValueError, match="which are no bands of one image"):
        open_source(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_what_is_no_image_is_refused(name, tmp_path):
    starts = {"a.png": b"\x89PNG\r\n\x1a\n", "a.tif": b"II*\0", "a.npy": b"\x93NUMPY"}
    (tmp_path / name).write_bytes(starts[name] + b"and nothing else" * 4)
    with pytest.raises(ValueError, match=re.escape(name)):
        fully(tmp_path / name)
    with pytest.raises(ValueError, match="missing.png: cannot be read"):
        open_source(tmp_path / "missing.png")


def test_an_image_that_needs_pyvips_says_so(tmp_path, monkeypatch):
    WRITERS["rgb.png"](tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "pyvips", None)
    np.testing.assert_array_equal(open_source(tmp_path / "a.png").rows(0, 77), random_image())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"a\.png: .* pip install 'pyvips\[binary\]'"):
        open_source(tmp_path / "a.png")
