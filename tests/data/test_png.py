"""The fast way of decoding label maps gives what Pillow gives, or steps aside."""

import io

import numpy as np
import pytest
from PIL import Image

from kseg.data.io import read_mask
from kseg.data.png import decode_plain_png
from kseg.palette import class_palette

LABELS = np.random.default_rng(0).integers(0, 20, (7, 11)).astype(np.uint8)
PALETTE = class_palette()


def png(labels=LABELS, colours=PALETTE, **options):
    image = Image.fromarray(labels)
    if colours is not None:
        image.putpalette(colours.tobytes())
    stream = io.BytesIO()
    image.save(stream, format="PNG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("shape", [(7, 11), (1, 5), (3, 1), (300, 200)])
@pytest.mark.parametrize("colours", [20, 256])
def test_indices_and_colours_are_pillows(shape, colours):
    data = png(np.resize(LABELS, shape), PALETTE[:colours], bits=8)
    plain = decode_plain_png(data, "a.png")
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(plain.values, np.asarray(image))
        np.testing.assert_array_equal(plain.palette.ravel(), image.getpalette("RGB"))


def test_grey_rows_with_filters_are_left_to_pillow_and_read(tmp_path):
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(png(smooth, None))
    assert decode_plain_png((tmp_path / "a.png").read_bytes(), "a.png") is None
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), smooth)


def turned():
    exif = Image.Exif()
    exif[274] = 6
    return exif


@pytest.mark.parametrize(
    ("options", "ordinary"),
    [({"bits": 8}, True), ({"transparency": 3}, True), ({"bits": 4}, False), ({"exif": 6}, False)],
)
def test_fewer_bits_and_orientations_are_left_to_pillow(options, ordinary):
    if "exif" in options:
        options = {"exif": turned()}
    data = png(np.minimum(LABELS, 15), PALETTE[:16], **{"bits": 8, **options})
    assert (decode_plain_png(data, "a.png") is not None) == ordinary


def test_each_damaged_bit_is_noticed_and_each_missing_byte():
    data = png()
    for place in range(8, len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 4
        assert decode_plain_png(bytes(damaged), "a.png") is None
        assert decode_plain_png(data[:place], "a.png") is None


def test_too_many_pixels_are_refused_before_unpacking(monkeypatch):
    data = png()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    with pytest.raises(ValueError, match=r"a.png: the image has more than 60 pixels"):
        decode_plain_png(data, "a.png")
