"""`kseg train --auto`: what is seen in a data set."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from kseg.data.check import Survey
from kseg.data.classes import with_channels, with_classes
from kseg.data.dataset import Dataset, SampleFiles
from kseg.data.registry import open_dataset
from kseg.training.propose import (
    Sizes,
    inspect,
    propose,
)
from kseg.training.propose.image_sizes import image_size
from kseg.training.propose.shapes import map_shapes, summarise_shapes
from tests.data.labelme_files import document, picture, png_text, shape, write_json
from tests.layouts import save, write_layouts
from tests.training.propose_cases import CPU


def write_set(folder, masks, images=None):
    for part in ("train", "test"):
        for index, mask in enumerate(masks):
            image = np.zeros((*mask.shape, 3), np.uint8) if images is None else images[index]
            save(folder / f"{part}_image" / f"{index}.png", image)
            save(folder / f"{part}_label" / f"{index}.png", mask)
    return open_dataset(folder.name, folder.parent)


def test_facts_by_hand(tmp_path):
    # A block of 10x8 pixels in images of 40x60 and 40x60; 5 rows of void in one of 80x100.
    masks = [np.zeros(size, np.uint8) for size in ((40, 60), (40, 60), (80, 100))]
    masks[0][5:15, 20:28] = 1
    masks[2][:5] = 255
    images = [np.random.default_rng(0).integers(0, 256, (*m.shape, 3), "uint8") for m in masks]
    dataset = with_classes(write_set(tmp_path / "own", masks, images), None, 255)
    facts = inspect(dataset, Survey(dataset, 1))
    assert (facts.name, facts.train, facts.test, facts.channels) == ("own", 3, 3, 3)
    assert (facts.grey, facts.deep) == (False, False)
    assert facts.classes.pixels == (2 * 2400 + 7500 - 80, 80)
    assert facts.classes.image_pixels == (2 * 2400 + 7500, 2400)
    assert facts.classes.rarest_share == pytest.approx(80 / 12300)
    assert facts.classes.void_share == pytest.approx(500 / 12800)
    assert (facts.sizes.smallest, facts.sizes.median) == ((40, 60), (40, 60))
    assert facts.sizes.largest == (80, 100)
    # Widths by heights are 1.25, 1.5, 1.5; their 5th percentile is 1.25 + 0.1 * 0.25.
    assert facts.sizes.aspect_spread == pytest.approx(1.5 / 1.275)
    assert (facts.shapes.maps, facts.shapes.objects, facts.shapes.object_pixels) == (3, 0, 80)
    assert "own: 3 training, 3 validation and 3 test images" in facts.lines()[0]


def test_bands_grey_images_and_depth_are_seen(tmp_path):
    write_layouts(tmp_path, "fields", "isbi", "streets")
    found = {}
    for name, channels in (("fields", 5), ("isbi", None), ("streets", None)):
        dataset = with_channels(open_dataset(name, tmp_path), channels)
        found[name] = inspect(dataset, Survey(dataset, 1))
    assert [facts.channels for facts in found.values()] == [5, 3, 3]
    assert [facts.grey for facts in found.values()] == [False, True, False]
    assert found["streets"].num_classes == 6
    assert found["isbi"].sizes == Sizes((48, 64), (48, 64), (48, 64))
    assert (found["isbi"].train, found["isbi"].val, found["isbi"].test) == (6, 4, 6)


def turned_jpeg(path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(picture((20, 30))).save(path, exif=exif)


def pages_tiff(path):
    tifffile.imwrite(path, np.zeros((4, 20, 30), "uint8"), photometric="minisblack")


@pytest.mark.parametrize(
    ("name", "write", "page", "size"),
    [
        ("a.png", lambda path: Image.fromarray(picture((20, 30))).save(path), None, (20, 30)),
        ("turned.jpg", turned_jpeg, None, (30, 20)),
        ("a.npy", lambda path: np.save(path, np.zeros((20, 30, 5), "uint8")), None, (20, 30)),
        ("a.tif", lambda path: tifffile.imwrite(path, picture((20, 30))), None, (20, 30)),
        ("b.tif", pages_tiff, 2, (20, 30)),
    ],
)
def test_sizes_come_from_headers(name, write, page, size, tmp_path):
    write(tmp_path / name)
    files = SampleFiles(tmp_path / name, page=page)
    assert image_size(Dataset("own", [files], [], [], ("a", "b")), files) == size


def test_the_size_of_an_embedded_image_is_that_of_the_image(tmp_path):
    for part in ("train", "val"):
        write_json(tmp_path / "own" / part, part, document(shape(), imageData=png_text(picture())))
    dataset = open_dataset("own", tmp_path)
    assert image_size(dataset, dataset.train[0]) == (30, 40)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"II*\0rest", b"\x89PNG rest"])
def test_a_damaged_header_is_a_sentence(content, tmp_path):
    path = tmp_path / "bad.img"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.img: "):
        image_size(Dataset("own", [], [], [], ("a", "b")), SampleFiles(path))


def test_a_strip_has_its_width_and_length():
    labels = np.zeros((20, 60), np.uint8)
    labels[8:12] = 1
    shapes = summarise_shapes([map_shapes(labels, 3, 255)])
    assert (shapes.objects, shapes.object_pixels, shapes.close_share) == (1, 240, 0)
    # Distances to the border 0.5, 1.5, 1.5, 0.5: the mean is 1, a quarter of the width.
    assert (shapes.widths[1], shapes.widest[1], shapes.elongations[1]) == (4, 3, 60 / 4)
    assert (shapes.widths[2], shapes.elongations[2]) == (0, 0)


@pytest.mark.parametrize(
    ("gap", "ground", "close"), [(2, 0, 2), (6, 0, 2), (7, 0, 0), (2, 255, 0), (2, 2, 0)]
)
def test_objects_behind_a_narrow_gap_of_background_are_close(gap, ground, close):
    labels = np.zeros((30, 60), np.uint8)
    labels[5:10, 0:5] = labels[5:10, 5 + gap : 10 + gap] = 1
    labels[:15, 5 : 5 + gap] = ground
    labels[20:25, 50:55] = 1
    labels[25:28, 5:8] = 1  # a speck of nine pixels
    found = map_shapes(labels, 2, 255)
    assert sorted(found.areas) == [25, 25, 25]
    assert found.close == close


def test_a_map_of_one_class_has_the_width_of_the_image():
    found = summarise_shapes([map_shapes(np.ones((20, 40), np.uint8), 2, 255)])
    assert (found.widths[1], found.elongations[1], found.objects) == (20, 2, 1)


@pytest.mark.parametrize(
    ("name", "settings_"),
    [
        ("camvid", {"loss": "ce_dice", "class_weights": "median_frequency", "augment": "medium"}),
        ("isbi2012", {"loss": "cl_dice", "augment": "medical", "input_height": 512}),
    ],
)
def test_real_data_get_sane_settings(name, settings_, real_data, tmp_path):
    folder = real_data(name)
    dataset = open_dataset(name.removesuffix("2012"), folder.parent)
    few = replace(dataset, train=dataset.train[::25] if name == "camvid" else dataset.train[:6])
    facts = inspect(few, Survey(few, 1, cache=False))
    facts = replace(facts, train=len(dataset.train))
    found = propose(facts, CPU).values
    assert {key: found[key] for key in settings_} == settings_
    assert found["input_width"] % 32 == 0
    assert abs(found["input_width"] - facts.sizes.median[1]) <= 16
    assert found["train_batch_size"] in (2, 4)
