"""The fast way of decoding JPEG gives what the usual way gives, or steps aside."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from kseg.data.io import read_image
from kseg.data.jpeg import decode_jpeg


def picture(mode="RGB", size=(37, 53)):
    rng = np.random.default_rng(0)
    array = cv2.resize(rng.integers(0, 256, (5, 7, 3), np.uint8), size[::-1])
    return Image.fromarray(array).convert(mode)


def save(path, image, **options):
    image.save(path, format="JPEG", **options)
    return np.fromfile(path, np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"progressive": True}, {"quality": 30}]
)
@pytest.mark.parametrize(
    ("channels", "flag"), [(3, cv2.IMREAD_COLOR_RGB), (1, cv2.IMREAD_GRAYSCALE)]
)
def test_the_pixels_are_opencvs(mode, options, channels, flag, tmp_path):
    data = save(tmp_path / "a.jpg", picture(mode), **options)
    decoded = decode_jpeg(tmp_path / "a.jpg", data, channels)
    assert decoded.shape == (37, 53, channels)
    expected = cv2.imdecode(data, flag).reshape(decoded.shape)
    np.testing.assert_array_equal(decoded, expected)
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg", channels), expected)


def test_turned_files_and_other_colours_are_left_to_others(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    turned = save(tmp_path / "turned.jpg", picture(), exif=exif)
    assert decode_jpeg(tmp_path / "turned.jpg", turned, 3) is None
    assert read_image(tmp_path / "turned.jpg").shape == (53, 37, 3)
    inks = save(tmp_path / "inks.jpg", picture("CMYK"))
    assert decode_jpeg(tmp_path / "inks.jpg", inks, 3) is None
    assert read_image(tmp_path / "inks.jpg").shape == (37, 53, 3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_orientation_after_other_data_is_found(mode, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    profile = bytes(range(256)) * 600 + b"\xff\xda"  # like a start of compressed data
    data = save(tmp_path / "a.jpg", picture(mode), exif=exif, icc_profile=profile)
    assert decode_jpeg(tmp_path / "a.jpg", data, 3) is None
    assert read_image(tmp_path / "a.jpg").shape == (53, 37, 3)


@pytest.mark.parametrize("kept", [3, 40, 300, -2])
def test_a_damaged_file_is_never_half_an_image(kept, tmp_path):
    stream = io.BytesIO()
    picture(size=(200, 200)).save(stream, format="JPEG")
    data = np.frombuffer(stream.getvalue()[:kept], np.uint8)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data.tobytes())
    assert decode_jpeg(path, data, 3) is None
    with pytest.raises(ValueError, match=r"cut\.jpg: "):
        read_image(path)
