"""The fast way of decoding label maps gives what the usual way gives, or steps aside."""

import io
import zlib

import cv2
import numpy as np
import png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, PngImagePlugin

from kseg.data.decode import decode_file, first_bytes
from kseg.data.io import read_mask
from kseg.data.plain_png import read_plain_png
from kseg.palette import class_palette

LABELS = np.random.default_rng(0).integers(0, 21, (37, 53)).astype(np.uint8)


def plain(path):
    return read_plain_png(path, first_bytes(path))


def indexed(labels, colours=256):
    image = Image.fromarray(labels)
    image.putpalette(class_palette()[:colours].tobytes())
    return image


@given(
    labels=arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)),
    level=st.integers(0, 9),
)
def test_values_and_palette_are_pillows(labels, level, tmp_path_factory):
    path = tmp_path_factory.mktemp("png") / "mask.png"
    indexed(labels).save(path, compress_level=level)
    decoded, expected = plain(path), decode_file(path, as_labels=True)
    np.testing.assert_array_equal(decoded.array, labels[..., None])
    np.testing.assert_array_equal(decoded.array, expected.array)
    np.testing.assert_array_equal(decoded.palette, expected.palette)
    assert decoded.alpha == expected.alpha


def test_a_short_palette_stays_short(tmp_path):
    indexed(LABELS % 5, colours=5).save(tmp_path / "mask.png", bits=8)
    expected = decode_file(tmp_path / "mask.png", as_labels=True).palette
    np.testing.assert_array_equal(plain(tmp_path / "mask.png").palette, expected)


def test_unfiltered_grey_has_no_palette(tmp_path):
    with (tmp_path / "mask.png").open("wb") as file:
        png.Writer(53, 37, greyscale=True, bitdepth=8).write(file, LABELS)
    decoded = plain(tmp_path / "mask.png")
    np.testing.assert_array_equal(decoded.array[..., 0], LABELS)
    assert decoded.palette is None


def save_with_filters(path):
    cv2.imwrite(str(path), LABELS, [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH])


def save_interlaced(path):
    with path.open("wb") as file:
        png.Writer(53, 37, greyscale=True, bitdepth=8, interlace=True).write(file, LABELS)


def save_few_bits(path):
    indexed(LABELS % 4, colours=4).save(path, bits=2)


def save_transparent(path):
    indexed(LABELS).save(path, transparency=0)


def save_turned(path):
    exif = Image.Exif()
    exif[274] = 6
    indexed(LABELS).save(path, exif=exif)


def save_turned_by_xmp(path):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    indexed(LABELS).save(path, pnginfo=text)


@pytest.mark.parametrize(
    "save",
    [
        save_with_filters,
        save_interlaced,
        save_few_bits,
        save_transparent,
        save_turned,
        save_turned_by_xmp,
    ],
)
def test_other_files_are_left_to_pillow(save, tmp_path):
    save(tmp_path / "mask.png")
    assert plain(tmp_path / "mask.png") is None
    expected = decode_file(tmp_path / "mask.png", as_labels=True).array[..., 0]
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), expected)


def test_colours_are_not_labels(tmp_path):
    Image.fromarray(np.dstack([LABELS] * 3)).save(tmp_path / "image.png")
    assert plain(tmp_path / "image.png") is None


def encoded():
    stream = io.BytesIO()
    indexed(LABELS).save(stream, format="PNG")
    return stream.getvalue()


@pytest.mark.parametrize("kept", [9, 33, 60, 400, 850, 1100, -20, -4])
def test_a_file_that_is_cut_off_is_never_half_a_label_map(kept, tmp_path):
    path = tmp_path / "cut.png"
    path.write_bytes(encoded()[:kept])
    assert plain(path) is None
    try:
        np.testing.assert_array_equal(read_mask(path), LABELS)  # only the end marker is missing
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017


@given(place=st.integers(8, len(encoded()) - 1), value=st.integers(0, 255))
def test_a_changed_byte_never_gives_other_labels(place, value, tmp_path_factory):
    """All chunks have a checksum, which Pillow and OpenCV leave out for some."""
    data = bytearray(encoded())
    data[place] = value
    path = tmp_path_factory.mktemp("png") / "mask.png"
    path.write_bytes(data)
    try:
        decoded = plain(path)
    except ValueError as error:
        assert "pixels, which may be an attack" in str(error)  # noqa: PT017
        return
    if decoded is not None:
        np.testing.assert_array_equal(decoded.array[..., 0], LABELS)


def test_more_data_than_the_size_says_is_refused(tmp_path):
    """A file of some kilobytes must not unpack to gigabytes."""
    rows = zlib.compress(bytes(50_000_000))
    chunks = list(png.Reader(bytes=encoded()).chunks())
    chunks = [(kind, rows if kind == b"IDAT" else data) for kind, data in chunks]
    with (tmp_path / "bomb.png").open("wb") as file:
        png.write_chunks(file, chunks)
    assert plain(tmp_path / "bomb.png") is None


def test_too_many_pixels_are_refused(tmp_path, monkeypatch):
    indexed(LABELS).save(tmp_path / "mask.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    with pytest.raises(ValueError, match=r"mask\.png: the image has more than 1800 pixels"):
        read_mask(tmp_path / "mask.png")
