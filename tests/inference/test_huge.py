"""Images are read, segmented and written row by row, in bounded memory, with the same result."""

import re
import sys
import threading
import time
import tracemalloc
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data.io import read_image, read_mask
from kseg.inference.huge import (
    ArraySink,
    ArraySource,
    open_sink,
    open_source,
    peak_bytes,
    segment_file,
    segment_strips,
)
from kseg.inference.tiles import tiled_probabilities
from kseg.palette import class_palette

OPTIONS = {"tile": 32, "overlap": 0.25, "num_classes": 3}


def random_image(height=77, width=110, channels=3, dtype="uint8"):
    rng = np.random.default_rng(0)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def network(batch):
    """Probabilities of three classes that depend on the pixel and on its place in the tile."""
    size = batch.shape[1]
    ramp = np.linspace(0.5, 1, size * size, dtype=np.float32).reshape(1, size, size, 1)
    scores = batch[..., :3] * ramp + 1
    return scores / scores.sum(-1, keepdims=True)


def labels_of(image):
    return tiled_probabilities(image, network, **OPTIONS).argmax(-1)


def threshold(batch):
    bright = (batch[..., :1] > 127).astype(np.float32)
    return np.concatenate([1 - bright, bright], axis=-1)


WRITERS = {
    "rgb.npy": lambda path: np.save(path, random_image()),
    "grey.npy": lambda path: np.save(path, random_image()[..., 0]),
    "columns.npy": lambda path: np.save(path, np.asfortranarray(random_image())),
    "deep.npy": lambda path: np.save(path, random_image(dtype="uint16").astype(">u2")),
    "float.npy": lambda path: np.save(path, random_image().astype("float64")),
    "plain.tif": lambda path: tifffile.imwrite(path, random_image()),
    "big_endian.tif": lambda path: tifffile.imwrite(
        path, random_image(dtype="uint16"), byteorder=">", photometric="rgb"
    ),
    "planes.tif": lambda path: tifffile.imwrite(
        path, np.moveaxis(random_image(), -1, 0).copy(), photometric="rgb", planarconfig="separate"
    ),
    "strips.tif": lambda path: tifffile.imwrite(
        path, random_image(), compression="zlib", predictor=False, rowsperstrip=7
    ),
    "tiles.tif": lambda path: tifffile.imwrite(
        path, random_image(), compression="zlib", tile=(16, 48), bigtiff=True
    ),
    "tiled_planes.tif": lambda path: tifffile.imwrite(
        path,
        np.moveaxis(random_image(), -1, 0).copy(),
        compression="zlib",
        tile=(32, 16),
        photometric="rgb",
        planarconfig="separate",
    ),
    "raw_tiles.tif": lambda path: tifffile.imwrite(path, random_image(), tile=(16, 48)),
    "pages.tif": lambda path: tifffile.imwrite(
        path, np.moveaxis(random_image(), -1, 0).copy(), photometric="minisblack"
    ),
    "grey.png": lambda path: Image.fromarray(random_image()[..., 0]).save(path),
    "rgb.png": lambda path: Image.fromarray(random_image()).save(path),
    "rgba.png": lambda path: Image.fromarray(random_image(channels=4)).save(path),
    "palette.png": lambda path: Image.fromarray(random_image()).quantize(40).save(path),
    "bits.png": lambda path: Image.fromarray(random_image()[..., 0] > 99).save(path),
    "deep.png": lambda path: cv2.imwrite(str(path), random_image(dtype="uint16")),
    "name[1].png": lambda path: Image.fromarray(random_image()).save(path),
    "lzw.tif": lambda path: Image.fromarray(random_image()).save(path, compression="tiff_lzw"),
    "turned.png": lambda path: Image.fromarray(random_image()).save(path, exif=turned()),
}


def turned():
    exif = Image.Exif()
    exif[274] = 6
    return exif


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


@pytest.mark.parametrize("target", ["labels.tif", "labels.png"])
@pytest.mark.parametrize("name", ["rgb.npy", "tiles.tif", "rgb.png"])
def test_a_file_gets_the_labels_of_the_whole_image(name, target, tmp_path):
    WRITERS[name](tmp_path / name)
    segment_file(tmp_path / name, tmp_path / target, network, **OPTIONS)
    np.testing.assert_array_equal(read_mask(tmp_path / target), labels_of(random_image()))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, target])


@pytest.mark.parametrize("shape", [(1, 200), (200, 1), (31, 31), (32, 64), (150, 33)])
@pytest.mark.parametrize("overlap", [0, 0.75])
def test_strips_are_exactly_the_whole_image(shape, overlap):
    image = random_image(*shape)
    options = OPTIONS | {"overlap": overlap}
    sink = ArraySink(*shape)
    segment_strips(ArraySource(image), sink, network, **options)
    np.testing.assert_array_equal(
        sink.labels, tiled_probabilities(image, network, **options).argmax(-1)
    )


@pytest.mark.full
def test_a_memory_of_stated_size_is_enough_for_an_image_of_6000x6000(tmp_path):
    """Written sparsely: 108 MB of image, of which a bright square is on the disk."""
    size, tile = 6000, 256
    path = tmp_path / "sparse.npy"
    image = np.lib.format.open_memmap(path, "w+", np.uint8, (size, size, 3))
    image[3000:3500, 100:700] = 200
    del image
    sink = Checked(size)
    tracemalloc.start()
    source = open_source(path)
    segment_strips(source, sink, threshold, tile=tile, overlap=0, num_classes=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (sink.rows, sink.bright) == (size, 500 * 600)
    assert peak <= peak_bytes(size, 3, tile=tile, num_classes=2) < 80e6


class Checked:
    """A sink that counts what it is given."""

    def __init__(self, width):
        self.width, self.rows, self.bright = width, 0, 0

    def write(self, start, labels):
        assert (start, labels.shape[1]) == (self.rows, self.width)
        self.rows += len(labels)
        self.bright += int(labels.sum())


@pytest.mark.parametrize(("tile", "overlap"), [(64, 0), (64, 0.75), (300, 0.5)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_stated_memory_does_not_depend_on_the_height(tile, overlap, dtype, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4 * tile, 2000, 1), dtype))
    source, sink = open_source(tmp_path / "a.npy", 1), Checked(2000)
    tracemalloc.start()
    segment_strips(source, sink, threshold, tile=tile, overlap=overlap, num_classes=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    stated = peak_bytes(2000, 1, tile=tile, num_classes=2, bytes_per_value=np.dtype(dtype).itemsize)
    assert stated / 4 < peak <= stated


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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300_000), (3000, 7), (97, 5001)])
def test_label_files_hold_the_labels_and_the_colours(suffix, shape, tmp_path):
    path = tmp_path / f"labels{suffix}"
    labels = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    with open_sink(path, *shape) as sink:
        for start in range(0, shape[0], 50):
            sink.write(start, labels[start : start + 50])
    np.testing.assert_array_equal(read_mask(path), labels)
    with Image.open(path) as image:
        assert image.mode == "P"
        colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        np.testing.assert_array_equal(colours, class_palette())
    if suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            assert file.is_bigtiff
            np.testing.assert_array_equal(file.pages[0].asarray(), labels)


def test_an_incomplete_label_file_does_not_replace_the_old_one(tmp_path):
    path = tmp_path / "labels.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="only 1 of 2 rows"), open_sink(path, 2, 3) as sink:
        sink.write(0, np.zeros((1, 3), np.uint8))
    with pytest.raises(RuntimeError), open_sink(path, 2, 3) as sink:
        raise RuntimeError
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("labels.png", b"old")]


@pytest.mark.parametrize(
    ("start", "labels", "sentence"),
    [
        (1, np.zeros((1, 3), np.uint8), "the next ones are those from 0 on, of 2"),
        (0, np.zeros((3, 3), np.uint8), "rows 0 to 3 were given"),
        (0, np.zeros((1, 4), np.uint8), "rows of 3"),
        (0, np.zeros((1, 3), np.int64), "these are int64"),
    ],
)
def test_rows_that_do_not_fit_are_refused(start, labels, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence), open_sink(tmp_path / "a.tif", 2, 3) as sink:
        sink.write(start, labels)


def test_a_network_that_fails_leaves_no_file(tmp_path):
    WRITERS["rgb.npy"](tmp_path / "a.npy")

    def fail(batch):
        raise MemoryError

    with pytest.raises(MemoryError):
        segment_file(tmp_path / "a.npy", tmp_path / "labels.png", fail, **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_nothing_is_read_any_more_after_an_error():
    second_read = threading.Event()

    @contextmanager
    def closed_after_use(source):
        try:
            yield
        finally:
            assert not source.reading

    class Slow(ArraySource):
        reading = False

        def rows(self, start, stop):
            if start > 0:
                self.reading = True
                second_read.set()
                time.sleep(0.2)
                self.reading = False
            return super().rows(start, stop)

    def fail(batch):
        assert second_read.wait(60)
        raise MemoryError

    source = Slow(random_image())
    with pytest.raises(MemoryError), closed_after_use(source):
        segment_strips(source, ArraySink(*source.shape[:2]), fail, **OPTIONS)


def test_a_sink_that_fails_ends_the_run():
    class Full:
        def write(self, start, labels):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        segment_strips(ArraySource(random_image()), Full(), network, **OPTIONS)


@pytest.mark.parametrize(
    ("target", "classes", "sentence"),
    [
        ("a.npy", 3, "are written as .png, .tif, .tiff"),
        ("a.png", 3, "this is the image itself"),
        ("b.png", 1, "label maps hold 2 to 256 classes"),
        ("b.png", 257, "label maps hold 2 to 256 classes"),
    ],
)
def test_a_target_or_classes_that_cannot_be_are_refused(target, classes, sentence, tmp_path):
    WRITERS["rgb.png"](tmp_path / "a.png")
    with pytest.raises(ValueError, match=sentence):
        segment_file(tmp_path / "a.png", tmp_path / target, network, tile=32, num_classes=classes)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
