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


def turned(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    return exif


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


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_files_are_turned_as_opencv_does(orientation, mode, tmp_path):
    data = save(tmp_path / "a.jpg", picture(mode), exif=turned(orientation))
    for channels, flag in ((3, cv2.IMREAD_COLOR_RGB), (1, cv2.IMREAD_GRAYSCALE)):
        decoded = decode_jpeg(tmp_path / "a.jpg", data, channels)
        expected = cv2.imdecode(data, flag).reshape(decoded.shape)
        np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_film_behind_the_image_is_no_damage(orientation, tmp_path):
    path = tmp_path / "motion.jpg"
    data = save(path, picture(), exif=turned(orientation)).tobytes()
    expected = read_image(path)
    path.write_bytes(data + b"\0\0\0\x18ftypmp42" + bytes(10_000))
    np.testing.assert_array_equal(read_image(path), expected)
    path.write_bytes(data[:-300])
    with pytest.raises(ValueError, match=r"motion\.jpg: the image is truncated"):
        read_image(path)


def test_other_colours_are_left_to_others(tmp_path):
    inks = save(tmp_path / "inks.jpg", picture("CMYK"))
    assert decode_jpeg(tmp_path / "inks.jpg", inks, 3) is None
    assert read_image(tmp_path / "inks.jpg").shape == (37, 53, 3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_orientation_after_other_data_is_found(mode, tmp_path):
    profile = bytes(range(256)) * 600 + b"\xff\xda"  # like a start of compressed data
    data = save(tmp_path / "a.jpg", picture(mode), exif=turned(6), icc_profile=profile)
    assert decode_jpeg(tmp_path / "a.jpg", data, 3).shape == (53, 37, 3)


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
