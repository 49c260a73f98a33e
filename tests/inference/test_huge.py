"""Images are read, segmented and written row by row, in bounded memory, with the same result."""

import threading
import time
import tracemalloc
from contextlib import closing

import numpy as np
import pytest

from kseg.data.io import read_mask
from kseg.inference.huge import (
    ArraySink,
    ArraySource,
    open_source,
    peak_bytes,
    segment_file,
    segment_strips,
)
from kseg.inference.tiles import tiled_probabilities
from tests.inference.huge_images import (
    OPTIONS,
    WRITERS,
    labels_of,
    network,
    random_image,
    threshold,
)


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


def test_a_network_that_fails_leaves_no_file(tmp_path):
    WRITERS["rgb.npy"](tmp_path / "a.npy")

    def fail(batch):
        raise MemoryError

    with pytest.raises(MemoryError):
        segment_file(tmp_path / "a.npy", tmp_path / "labels.png", fail, **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_nothing_is_read_any_more_after_an_error():
    second_read = threading.Event()

    class Slow(ArraySource):
        reading = False

        def rows(self, start, stop):
            if start > 0:
                self.reading = True
                second_read.set()
                time.sleep(0.2)
                self.reading = False
            return super().rows(start, stop)

        def close(self):
            assert not self.reading

    def fail(batch):
        assert second_read.wait(60)
        raise MemoryError

    source = Slow(random_image())
    with pytest.raises(MemoryError), closing(source):
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
