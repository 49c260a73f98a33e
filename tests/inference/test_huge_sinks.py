"""Label files are written row by row, whole or not at all."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data.io import read_mask
from kseg.inference.huge import (
    open_sink,
)
from kseg.palette import class_palette


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
