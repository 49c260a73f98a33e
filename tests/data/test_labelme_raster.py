import base64
import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kseg.data.labelme import open_labelme, rasterise
from kseg.data.labelme.shapes import POINT_COUNTS, parse_shape
from tests.data.labelme_files import SIZE, one_sentence_about, png_text, shape

CLASSES = {"cat": 1, "dog": 2, "__ignore__": 255}


def draw(*raw, size=SIZE):
    shapes = [parse_shape(one, f"a.json: shapes[{i}]") for i, one in enumerate(raw)]
    return rasterise(shapes, size, lambda one: CLASSES[one.label])


@pytest.mark.parametrize(
    ("kind", "points", "area"),
    [
        # Corners belong to the shape: (5 - 2 + 1) * (4 - 1 + 1).
        ("rectangle", [[2, 1], [5, 4]], 16),
        ("rectangle", [[5, 4], [2, 1]], 16),
        ("rectangle", [[5, 1], [2, 4]], 16),
        ("polygon", [[1, 1], [4, 1], [4, 4], [1, 4]], 16),
        # 1 + 2 + 3 + 4 pixels.
        ("polygon", [[0, 0], [3, 0], [0, 3]], 10),
        ("oriented_rectangle", [[1, 1], [4, 1], [4, 4], [1, 4]], 16),
        # A line of width 10 from x = 10 to 29.
        ("line", [[10, 15], [29, 15]], 200),
        ("linestrip", [[10, 15], [20, 15], [29, 15]], 200),
        # A polygon that leaves the image: 2 columns, 30 rows.
        ("polygon", [[-20, -10], [1, -10], [1, 40], [-20, 40]], 60),
    ],
)
def test_shapes_cover_the_pixels_that_arithmetic_says(kind, points, area):
    assert np.count_nonzero(draw(shape(kind=kind, points=points))) == area


@pytest.mark.parametrize(
    ("kind", "points"), [("circle", [[20, 15], [20, 20]]), ("point", [[20, 15]])]
)
def test_circles_and_points_are_discs(kind, points):
    mask = draw(shape(kind=kind, points=points)) > 0
    rows, columns = np.nonzero(mask)
    # Radius 5 on both sides of the centre's pixel.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 20, 15, 25)
    distance = np.hypot(*(np.indices(SIZE) - np.array([15, 20])[:, None, None]))
    assert mask[distance <= 5].all()
    assert not mask[distance > 5.75].any()


def test_later_shapes_cover_earlier_ones():
    below, above = (
        shape("cat", "rectangle", [[0, 0], [9, 9]]),
        shape("dog", "rectangle", [[5, 5], [9, 9]]),
    )
    assert np.bincount(draw(below, above).ravel()).tolist()[1:] == [75, 25]
    assert np.bincount(draw(above, below).ravel()).tolist()[1:] == [100]
    assert draw(below, {**above, "label": "__ignore__"})[9, 9] == 255


def test_an_embedded_mask_covers_its_nonzero_pixels():
    array = np.zeros((4, 5), np.uint8)
    array[1:3, 2:] = 255
    mask = draw(shape("dog", "mask", [[10.9, 20], [14.2, 23]], mask=png_text(array)))
    expected = np.zeros(SIZE, np.uint8)
    expected[20:24, 10:15] = array // 255 * 2
    assert (mask == expected).all()


def png_of(size):
    """A PNG file that only promises pixels."""
    header = struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(packed)).decode()


GOOD_MASK = png_text(np.random.default_rng(0).integers(0, 2, (4, 5)).astype(np.uint8))


@pytest.mark.parametrize(
    ("points", "text", "message"),
    [
        (
            [[-1, 0], [3, 3]],
            GOOD_MASK,
            "the mask's box -1,0 to 3,3 is not inside the image of 40x30",
        ),
        ([[3, 3], [0, 0]], GOOD_MASK, "the mask's box 3,3 to 0,0 is not inside"),
        ([[36, 0], [40, 3]], GOOD_MASK, "the mask's box 36,0 to 40,3 is not inside"),
        ([[0, 0], [4, 4]], GOOD_MASK, ".* one channel and 5x5 pixels, as its box, got L 5x4"),
        (
            [[0, 0], [4, 3]],
            png_text(np.zeros((4, 5, 3), np.uint8)),
            ".* one channel .* got RGB 5x4",
        ),
        ([[0, 0], [4, 3]], GOOD_MASK[:-3], "mask is no complete base64 text"),
        ([[0, 0], [4, 3]], "<" + GOOD_MASK, "mask is no complete base64 text"),
        ([[0, 0], [4, 3]], "aGVsbG8=", "mask is no PNG image"),
        ([[0, 0], [4, 3]], GOOD_MASK[:72], "mask is (damaged|no PNG image)"),
        ([[0, 0], [4, 3]], png_of((2**20, 2**20)), "mask: the image has more than .* pixels"),
    ],
)
def test_a_bad_mask_is_named(points, text, message):
    with pytest.raises(ValueError, match=rf"a\.json: shapes\[1\] \('dog'\): {message}"):
        draw(shape(), shape("dog", "mask", points, mask=text))


@pytest.mark.parametrize(
    ("kind", "points", "message"),
    [
        ("polygon", [[1, 1], [1e6, 1], [1, 4]], r"the point \(1e\+06, 1\) is far outside"),
        ("circle", [[20, 15], [20, -1e8]], "is far outside the image of 40x30 pixels"),
        ("rectangle", [[41, 1], [60, 9]], "the shape lies outside the image of 40x30 pixels"),
        ("circle", [[-20, 10], [-12, 10]], "the shape lies outside"),
        ("point", [[45.5, 10]], "the shape lies outside"),
    ],
)
def test_a_shape_outside_the_image_is_named(kind, points, message):
    with pytest.raises(ValueError, match=rf"a\.json: shapes\[0\] \('cat'\): .*{message}"):
        draw(shape(kind=kind, points=points))


coordinates = st.tuples(st.floats(-30, 69), st.floats(-30, 59))


@st.composite
def drawn_shapes(draw_value):
    kind = draw_value(st.sampled_from(sorted(set(POINT_COUNTS) - {"mask"})))
    least, most = POINT_COUNTS[kind]
    points = draw_value(st.lists(coordinates, min_size=least, max_size=min(most, 12)))
    # One point inside keeps the shape from lying outside.
    return shape(draw_value(st.sampled_from(["cat", "dog"])), kind, [(20, 15), *points[1:]])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(drawn_shapes(), min_size=1, max_size=4))
def test_valid_shapes_are_drawn_inside_the_image_with_their_labels_only(raw):
    labels = draw(*raw)
    assert (labels.shape, labels.dtype) == (SIZE, np.uint8)
    assert {raw[-1]["label"]} <= {
        one["label"] for one in raw if (labels == CLASSES[one["label"]]).any()
    }
    assert set(np.unique(labels)) <= {0, *(CLASSES[one["label"]] for one in raw)}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.binary(max_size=30), st.integers(0, 60))
def test_a_mask_of_arbitrary_bytes_raises_only_a_value_error_with_the_file(junk, at):
    good = base64.b64decode(GOOD_MASK)
    bad = base64.b64encode(good[:at] + junk + good[at + len(junk) :]).decode()
    with one_sentence_about("a.json: shapes[0]"):
        draw(shape("cat", "mask", [[0, 0], [4, 3]], mask=bad))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(drawn_shapes(), max_size=5))
def test_label_maps_equal_those_of_labelme(raw):
    utils = pytest.importorskip("labelme.utils", exc_type=ImportError)
    expected, _ = utils.shapes_to_label((*SIZE, 3), raw, CLASSES)
    assert (draw(*raw) == expected).all()


def test_embedded_masks_equal_those_of_labelme():
    utils = pytest.importorskip("labelme.utils", exc_type=ImportError)
    array = np.array(Image.open(io.BytesIO(base64.b64decode(GOOD_MASK))))
    raw = shape("dog", "mask", [[10.9, 20], [14.2, 23]], mask=GOOD_MASK)
    expected, _ = utils.shapes_to_label((*SIZE, 3), [{**raw, "mask": array.astype(bool)}], CLASSES)
    assert (draw(raw) == expected).all()


# SHA-256 of the pixels of the label maps that labelme's authors exported from the same files, in
# the source archive of labelme 5.8.3. Pillow 12 draws one pixel of the second differently, for
# labelme too.
EXPORTED = {
    "2011_000003": {"efe09061abc05a24"},
    "2011_000006": {"9d96bd961a41ce05", "561e0f4681c7b5d5"},
    "2011_000025": {"984ee61f2cb59f4e"},
}


def test_label_maps_of_real_files_equal_the_ones_that_labelme_exported(real_data):
    dataset = open_labelme("voc", real_data("labelme"))
    for files in (*dataset.train, *dataset.val, *dataset.test):
        digest = hashlib.sha256(dataset.load_mask(files).tobytes()).hexdigest()
        assert digest[:16] in EXPORTED.pop(files.name)
    assert not EXPORTED
