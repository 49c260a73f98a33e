"""Label maps of every depth, and label maps in colours."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from kseg.data.colours import labels_of_colours
from kseg.data.io import read_mask, write_mask
from kseg.palette import class_palette

LABELS = np.array([[0, 1, 2, 3], [3, 2, 0, 0]], "uint8")
COLOURS = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (10, 10, 10))


def write_grey_png(path, labels, bits):
    """Write a grey PNG of 1, 2, 4 or 8 bits per pixel, which Pillow cannot."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = labels.shape
    planes = (labels[..., None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(planes.reshape(height, -1).astype("uint8"), axis=1)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_few_bits_keeps_its_labels(bits, tmp_path):
    labels = np.minimum(LABELS * 5, 2**bits - 1)
    write_grey_png(tmp_path / "mask.png", labels, bits)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), labels)


@pytest.mark.parametrize("colours", [16, 4, 2])
def test_a_palette_of_few_bits_keeps_its_labels(colours, tmp_path):
    image = Image.fromarray(np.minimum(LABELS, colours - 1))
    image.putpalette(class_palette()[:colours].tobytes())
    image.save(tmp_path / "mask.png", bits={16: 4, 4: 2, 2: 1}[colours])
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), np.minimum(LABELS, colours - 1))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "int64", "float32", "bool"])
@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_tiff_and_numpy_label_maps_keep_their_values(kind, suffix, tmp_path):
    labels = LABELS.astype(kind) * (300 if kind in ("uint16", "int32", "int64") else 1)
    path = tmp_path / f"mask{suffix}"
    if suffix == ".npy":
        np.save(path, labels)
    else:
        tifffile.imwrite(path, labels)
    np.testing.assert_array_equal(read_mask(path), labels.astype("int32"))
    assert read_mask(path).dtype in (np.uint8, np.uint16)


def test_pages_of_a_tiff_label_map_are_read_by_number(tmp_path):
    pages = np.stack([LABELS, LABELS + 1])
    tifffile.imwrite(tmp_path / "mask.tif", pages, photometric="minisblack")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.tif", page=1), pages[1])
    with pytest.raises(ValueError, match="there is no page 2, the file has 2"):
        read_mask(tmp_path / "mask.tif", page=2)


def test_numbers_that_are_no_labels_are_kept_as_they_are_or_refused(tmp_path):
    np.save(tmp_path / "mask.npy", np.array([[-1, 70_000]]))
    assert read_mask(tmp_path / "mask.npy").tolist() == [[-1, 70_000]]
    np.save(tmp_path / "mask.npy", np.array([[0, 2**32 + 1]]))
    with pytest.raises(ValueError, match="mask.npy: the values 0..4294967297 are no labels"):
        read_mask(tmp_path / "mask.npy")


def test_broken_numbers_are_no_labels(tmp_path):
    np.save(tmp_path / "mask.npy", LABELS + 0.5)
    with pytest.raises(ValueError, match=r"mask.npy: a label map holds whole numbers, .* float64"):
        read_mask(tmp_path / "mask.npy")
    for number in (np.nan, np.inf, -np.inf):
        np.save(tmp_path / "mask.npy", np.where(LABELS, number, 0))
        with pytest.raises(ValueError, match="whole numbers"):
            read_mask(tmp_path / "mask.npy")


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_lossy_files_are_refused_whatever_their_name(file_format, tmp_path):
    Image.fromarray(np.repeat(LABELS, 8, axis=0)).save(tmp_path / "mask.png", file_format)
    with pytest.raises(ValueError, match="mask.png: JPEG changes label values"):
        read_mask(tmp_path / "mask.png")


@pytest.mark.parametrize("more", ["metadata", "transparency", "several pictures"])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_is_taken_without_loss_alone_whatever_else_it_holds(more, lossless, tmp_path):
    image = Image.fromarray(np.repeat(LABELS, 8, axis=0)).convert("RGB")
    options = {"exif": Image.Exif()} if more == "metadata" else {}
    if more == "metadata":
        options["exif"][305] = "an editor"
    elif more == "transparency":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    else:
        options = {"save_all": True, "append_images": [Image.new("RGB", image.size, "white")]}
    path = tmp_path / "mask.webp"
    image.save(path, lossless=lossless, exact=True, **options)
    assert path.read_bytes()[12:16] != b"VP8 "
    if lossless:
        np.testing.assert_array_equal(read_mask(path), np.repeat(LABELS, 8, axis=0))
    else:
        with pytest.raises(ValueError, match=r"mask.webp: JPEG changes label values"):
            read_mask(path)


@pytest.mark.parametrize("cut", [13, 18])
def test_a_webp_label_map_that_is_cut_off_is_named(cut, tmp_path):
    image, path = Image.new("RGBA", (8, 8), (1, 1, 1, 9)), tmp_path / "mask.webp"
    image.save(path, lossless=True)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="mask.webp: "):
        read_mask(path)


@pytest.mark.parametrize(
    ("header", "values", "stretched"),
    [
        (b"P5 4 1 3\n", bytes([0, 1, 2, 3]), True),
        (b"P5 4 1 255\n", bytes([0, 1, 2, 3]), False),
        (b"P5 4 1 1000\n", bytes([0, 0, 0, 1, 0, 2, 0, 3]), True),
        (b"P5 4 1 65535\n", bytes([0, 0, 0, 1, 0, 2, 0, 3]), False),
        (b"P2 4 1 3\n", b"0 1 2 3", True),
        (b"P2 4 1 255\n", b"0 1 2 3", False),
        (b"P2 4 1 65535\n", b"0 1 2 3", False),
        (b"P6 2 1 65535\n", bytes([1, 0] * 6), True),
    ],
)
def test_pgm_values_are_labels_or_refused_never_stretched(header, values, stretched, tmp_path):
    path = tmp_path / "mask.pgm"
    path.write_bytes(header + values)
    if not stretched:
        assert read_mask(path).tolist() == [[0, 1, 2, 3]]
        return
    with pytest.raises(ValueError, match=r"mask.pgm: its header gives \d+ as the highest value"):
        read_mask(path)


def test_a_label_map_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(LABELS).save(tmp_path / "mask.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), np.rot90(LABELS, -1))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_table_of_colours_gives_labels(mode, tmp_path):
    coloured = np.array(COLOURS, "uint8")[LABELS]
    Image.fromarray(coloured).convert(mode).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", colours=COLOURS), LABELS)


def test_a_colour_that_is_not_in_the_table_is_named(tmp_path):
    coloured = np.array(COLOURS, "uint8")[LABELS]
    coloured[0, :2] = (1, 2, 3), (9, 9, 9)
    Image.fromarray(coloured).save(tmp_path / "mask.png")
    message = r"mask.png: 2 pixels have colours .* the table of colours: \(1, 2, 3\), \(9, 9, 9\);"
    with pytest.raises(ValueError, match=message):
        read_mask(tmp_path / "mask.png", colours=COLOURS)


def test_a_palette_in_another_order_is_read_by_its_colours(tmp_path):
    order = [2, 0, 3, 1]
    image = Image.fromarray(np.argsort(order)[LABELS].astype("uint8"))
    image.putpalette(np.array(COLOURS, "uint8")[order].tobytes())
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", colours=COLOURS), LABELS)


def test_a_palette_of_other_colours_is_read_by_its_indices(tmp_path):
    write_mask(tmp_path / "mask.png", LABELS, class_palette())
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", colours=COLOURS), LABELS)


def write_palette(path, indices, *colours):
    image = Image.fromarray(np.array(indices, "uint8"))
    image.putpalette([value for colour in colours for value in colour])
    image.save(path)


@pytest.mark.parametrize(
    "colours",
    [
        (COLOURS[0], COLOURS[1], (255, 1, 0)),
        (COLOURS[1], COLOURS[0], (255, 1, 0)),
        ((255, 1, 0), COLOURS[0], COLOURS[0]),
    ],
)
def test_a_stray_colour_of_a_palette_does_not_make_labels_of_indices(colours, tmp_path):
    write_palette(tmp_path / "mask.png", [[0, 1, 1], [1, 0, 2]], *colours)
    message = r"mask.png: \d pixels have colours .*: \(255, 1, 0\); .* save the indices"
    with pytest.raises(ValueError, match=message):
        read_mask(tmp_path / "mask.png", colours=COLOURS)


def test_indices_that_agree_with_the_table_are_labels_beyond_it_too(tmp_path):
    indices = [[0, 1, 4], [1, 0, 4]]
    write_palette(tmp_path / "mask.png", indices, *COLOURS, (224, 224, 192))
    assert read_mask(tmp_path / "mask.png", colours=COLOURS).tolist() == indices


@given(st.sets(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=60), st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_colours_are_the_inverse_of_painting(colours, data):
    table = tuple(colours)
    labels = data.draw(arrays(np.uint8, (3, 4), elements=st.integers(0, len(table) - 1)))
    painted = np.array(table, "uint8")[labels]
    np.testing.assert_array_equal(labels_of_colours(painted, table, "mask"), labels)
