"""Images of every depth and number of channels."""

import importlib.util
import warnings

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data.io import read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), "uint8")
RGB = RNG.integers(0, 256, (5, 7, 3), "uint8")
RGBA = RNG.integers(0, 256, (5, 7, 4), "uint8")
# The tag 259, compression, of type short and count 1, with the value 5.
LZW_TAG = b"\x03\x01\x03\0\x01\0\0\0\x05\0"
DEEP_GREY, DEEP_RGB, DEEP_RGBA = (a.astype("uint16") * 257 for a in (GREY, RGB, RGBA))


def write_tiff(path, array, **options):
    tifffile.imwrite(path, array, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
@pytest.mark.parametrize(
    ("array", "deep"), [(GREY, DEEP_GREY), (RGB, DEEP_RGB)], ids=["grey", "rgb"]
)
def test_16_bit_images_span_the_range_of_8_bit_ones(array, deep, suffix, tmp_path):
    path = tmp_path / f"deep{suffix}"
    if suffix == ".npy":
        np.save(path, deep)
    else:
        cv2.imwrite(str(path), deep if deep.ndim == 2 else deep[..., ::-1])
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, array if array.ndim == 3 else np.dstack([array] * 3))


def test_16_bit_values_between_those_of_8_bits_are_kept(tmp_path):
    Image.fromarray(np.array([[128, 65535]], "uint16")).save(tmp_path / "deep.png")
    image = read_image(tmp_path / "deep.png", 1)
    np.testing.assert_allclose(image[0, :, 0], [128 / 257, 255], rtol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_colours_become_grey_by_their_brightness(suffix, tmp_path):
    smooth = np.full((16, 16, 3), (200, 100, 50), "uint8")
    Image.fromarray(smooth).save(tmp_path / f"image{suffix}")
    image = read_image(tmp_path / f"image{suffix}", channels=1)
    # 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    assert image.shape == (16, 16, 1)
    assert np.abs(image.astype(int) - 124).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_transparency_is_dropped_or_kept_as_asked(suffix, tmp_path):
    path = tmp_path / f"rgba{suffix}"
    Image.fromarray(RGBA).save(path)
    np.testing.assert_array_equal(read_image(path), RGBA[..., :3])
    np.testing.assert_array_equal(read_image(path, channels=4), RGBA)


def test_a_16_bit_rgba_png_keeps_its_depth(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), DEEP_RGBA[..., [2, 1, 0, 3]] // 2)
    expected = (DEEP_RGBA // 2).astype("float32") / 257
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png", channels=4), expected)
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), expected[..., :3])


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_tiff_files_of_many_bands_are_read(planes, kind, tmp_path):
    bands = RNG.integers(0, 256, (6, 5, 7)).astype(kind)
    if planes == "contig":
        bands = np.moveaxis(bands, 0, -1)
    options = {"photometric": "minisblack", "planarconfig": planes, "compression": "zlib"}
    path = write_tiff(tmp_path / "bands.tif", bands, **options)
    expected = bands if planes == "contig" else np.moveaxis(bands, 0, -1)
    scale = 257 if kind == "uint16" else 1
    image = read_image(path, channels=6)
    np.testing.assert_allclose(image, expected.astype("float32") / scale, rtol=1e-6)


def test_pages_of_one_band_each_are_bands(tmp_path):
    pages = RNG.integers(0, 256, (5, 5, 7), "uint8")
    path = write_tiff(tmp_path / "pages.tif", pages, photometric="minisblack")
    np.testing.assert_array_equal(read_image(path, channels=5), np.moveaxis(pages, 0, -1))
    np.testing.assert_array_equal(read_image(path, channels=1, page=3)[..., 0], pages[3])


def test_pages_that_are_no_bands_are_refused(tmp_path):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(RGB, photometric="rgb")
        file.write(RGB, photometric="rgb")
    with pytest.raises(ValueError, match="has 2 pages, which are no bands of one image"):
        read_image(path)
    with pytest.raises(ValueError, match="there is no page 2, the file has 2"):
        read_image(path, page=2)


def test_smaller_copies_of_a_tiff_are_no_pages(tmp_path):
    path = tmp_path / "preview.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(RGB, photometric="rgb")
        file.write(RGB[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_image(path), RGB)


def test_only_tiff_files_have_pages(tmp_path):
    np.save(tmp_path / "a.npy", GREY)
    with pytest.raises(ValueError, match="a.npy: page 1 is asked for, but only TIFF"):
        read_image(tmp_path / "a.npy", page=1)


@pytest.mark.parametrize(("kind", "count"), [("uint8", 2), ("uint8", 4), ("uint16", 4)])
def test_bands_are_not_dropped_for_colours(kind, count, tmp_path):
    bands = RNG.integers(0, 256, (5, 7, count)).astype(kind)
    np.save(tmp_path / "bands.npy", bands)
    write_tiff(tmp_path / "bands.tif", bands, photometric="minisblack", planarconfig="contig")
    for name in ("bands.npy", "bands.tif"):
        message = f"{name}: the image has {count} channels, which cannot become 3; train"
        with pytest.raises(ValueError, match=f"{message} with --image_channels {count}"):
            read_image(tmp_path / name)


def test_a_fourth_band_that_is_no_transparency_is_not_dropped(tmp_path):
    options = {"photometric": "rgb", "extrasamples": ["unspecified"]}
    path = write_tiff(tmp_path / "infrared.tif", RGBA, **options)
    np.testing.assert_array_equal(read_image(path, channels=4), RGBA)
    with pytest.raises(ValueError, match="has 4 channels, which cannot become 3"):
        read_image(path)


def test_rgb_does_not_become_four_bands(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "rgb.png")
    with pytest.raises(ValueError, match="rgb.png: the image has 3 channels, which cannot become"):
        read_image(tmp_path / "rgb.png", channels=4)


@pytest.mark.parametrize("kind", ["bool", "1"])
def test_one_bit_images_are_black_and_white(kind, tmp_path):
    bits = GREY > 128
    np.save(tmp_path / "bits.npy", bits)
    Image.fromarray(bits).save(tmp_path / "bits.png")
    for name in ("bits.npy", "bits.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name, 1)[..., 0], bits * 255)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0.0, 1.0]]), "values are 0..1, which would be black; multiply them by 255"),
        (np.array([[-3.0, 9.0]]), "values are -3..9; bring floating-point images to 0..255"),
        (np.array([[0.0, 256.0]]), "values are 0..256; bring"),
        (np.array([[np.nan, 2.0]]), "values are nan..nan; bring"),
        (np.array([[1, 2]], "int16"), "values are int16; save images as uint8"),
        (np.array([[1, 2]], "int64"), "values are int64; save images as uint8"),
        (np.array([[1j, 2]]), "values are complex128; save images as uint8"),
        (np.zeros((2, 2, 2, 2), "uint8"), "the array has the shape"),
        (np.zeros((0, 2), "uint8"), "the array has the shape"),
        (np.array([[{}]], object), "no NumPy array can be read from it"),
    ],
)
def test_arrays_that_are_no_images_are_refused(values, message, tmp_path):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ValueError, match=f"a.npy: .*{message}"):
        read_image(tmp_path / "a.npy", 1)


def test_a_floating_point_image_keeps_its_values(tmp_path):
    values = np.array([[0, 0.5], [200.25, 255]], "float64")
    np.save(tmp_path / "a.npy", values)
    image = read_image(tmp_path / "a.npy", 1)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image[..., 0], values)


def test_cmyk_becomes_rgb(tmp_path):
    red = Image.new("RGB", (16, 16), (250, 10, 10))
    for suffix in (".jpg", ".tif"):
        red.convert("CMYK").save(tmp_path / f"cmyk{suffix}")
        image = read_image(tmp_path / f"cmyk{suffix}")
        assert np.abs(image.astype(int) - (250, 10, 10)).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_images_are_turned_as_exif_says(suffix, orientation, tmp_path):
    stored = np.zeros((16, 32, 3), "uint8")
    stored[:8, :16] = 255
    stored[8:, 16:24] = 128
    exif = Image.Exif()
    exif[274] = orientation
    lossless = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(stored).save(tmp_path / f"turned{suffix}", exif=exif, **lossless)
    # What EXIF 2.32 says about rows and columns of the stored image.
    expected = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: stored[::-1].transpose(1, 0, 2),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: stored[:, ::-1].transpose(1, 0, 2),
    }[orientation]
    for channels in (1, 3):
        image = read_image(tmp_path / f"turned{suffix}", channels).astype(int)
        assert np.abs(image - expected[..., :channels]).max() <= 8


@pytest.mark.parametrize("orientation", [3, 6])
def test_deep_images_are_turned_as_exif_says(orientation, tmp_path):
    bands = RNG.integers(0, 65536, (5, 7, 4)).astype("uint16")
    tag = (274, "H", 1, orientation, True)
    options = {"photometric": "minisblack", "planarconfig": "contig", "extratags": [tag]}
    path = write_tiff(tmp_path / "turned.tif", bands, **options)
    turned = np.rot90(bands, {3: 2, 6: -1}[orientation])
    np.testing.assert_allclose(read_image(path, 4), turned.astype("float32") / 257, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy", ".bmp"])
def test_a_decompression_bomb_is_refused(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"bomb{suffix}"
    image = np.zeros((300, 300), "uint8")
    if suffix == ".npy":
        np.save(path, image)
    else:
        Image.fromarray(image).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    with pytest.raises(ValueError, match=f"bomb{suffix}: .* more than 80000 pixels, which may be"):
        read_image(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_image(path).shape == (300, 300, 3)


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_many_bands_are_a_bomb_too(suffix, tmp_path, monkeypatch):
    path, bands = tmp_path / f"bomb{suffix}", np.zeros((100, 100, 40), "uint8")
    if suffix == ".npy":
        np.save(path, bands)
    else:
        write_tiff(path, bands, photometric="minisblack", planarconfig="contig")
    assert read_image(path, 40).shape == bands.shape
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 49_999)
    with pytest.raises(ValueError, match="more than 99998 pixels"):
        read_image(path, 40)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".gif", ".bmp", ".webp"])
def test_truncated_files_of_every_format_are_named(suffix, tmp_path):
    path, image = tmp_path / f"cut{suffix}", RNG.integers(0, 256, (64, 64, 3)).astype("uint8")
    if suffix == ".npy":
        np.save(path, image)
    else:
        Image.fromarray(image).save(path)
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(ValueError, match=f"cut{suffix}: .*(damaged|cannot be read|can be read)"):
        read_image(path)


@pytest.mark.parametrize("start", [b"II*\0", b"\x93NUMPY", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_a_file_of_noise_is_named(start, tmp_path):
    noise = RNG.integers(0, 256, 200, "uint8").tobytes()
    (tmp_path / "noise.img").write_bytes(start + noise)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="noise.img: "):
            read_image(tmp_path / "noise.img", 4)


def test_bands_in_lzw_are_read_or_the_package_for_it_is_named(tmp_path):
    path = tmp_path / "lzw.tif"
    cv2.imwrite(str(path), DEEP_RGBA[..., [2, 1, 0, 3]], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(read_image(path, channels=4), RGBA)
    write_tiff(path, np.zeros((4, 4, 6), "uint8"), photometric="minisblack", planarconfig="contig")
    path.write_bytes(path.read_bytes().replace(b"\x03\x01\x03\0\x01\0\0\0\x01\0", LZW_TAG))
    if importlib.util.find_spec("imagecodecs") is None:
        with pytest.raises(ValueError, match="needs one more package, pip install imagecodecs"):
            read_image(path, channels=6)
