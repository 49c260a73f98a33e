"""COCO annotations, against pycocotools where it can be trusted."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kseg.data import open_dataset
from kseg.data.check import Survey
from kseg.data.rle import decode_runs, run_lengths
from tests.data import coco_files
from tests.data.coco_files import SQUARE, coco_json, draw, polygons

# Fixtures.
coco = coco_files.coco


def test_categories_follow_background_in_the_order_of_their_ids(coco):
    pytest.importorskip("pycocotools")
    content = coco_json([polygons(SQUARE), polygons([6, 5, 9, 5, 9, 7, 6, 7], category_id=3)])
    dataset = coco(content)
    assert dataset.class_names == ("background", "cat", "dog")
    sample = dataset.load(dataset.train[0])
    expected = np.zeros((8, 10))
    expected[1:4, 1:5] = 2
    expected[5:7, 6:9] = 1
    np.testing.assert_array_equal(sample.mask, expected)
    # The image without annotations is held out.
    assert not dataset.load(dataset.val[0]).mask.any()
    counts = Survey(dataset).count_classes([*dataset.train, *dataset.val])
    assert counts.pixels.tolist() == [160 - 12 - 6, 6, 12]


def test_a_category_called_background_is_label_0(coco):
    pytest.importorskip("pycocotools")
    categories = [{"id": 0, "name": "Background"}, {"id": 7, "name": "dog"}]
    dataset = coco(coco_json([polygons(SQUARE)], categories=categories))
    assert dataset.class_names == ("background", "dog")
    assert dataset.load_mask(dataset.train[0]).max() == 1


@pytest.mark.parametrize(
    ("file", "images"),
    [
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train2017.json", "images/train2017"),
        ("annotations/instances_train.json", "train"),
        ("annotations/train.json", "images/train"),
        ("annotations/instances_default.json", "images"),
        ("annotations/instances_default.json", "."),
        ("train/_annotations.coco.json", "train"),
        ("_annotations.coco.json", "."),
    ],
)
def test_files_are_found_where_programs_write_them(file, images, coco):
    assert [f.name for f in coco(coco_json([]), file, images).train] == ["0"]


def test_parts_are_read_from_their_files(coco):
    coco(coco_json([]), "train/_annotations.coco.json", "train")
    dataset = coco(coco_json([]), "valid/_annotations.coco.json", "valid")
    assert [len(part) for part in dataset.splits.values()] == [2, 2, 2]
    assert dataset.val == dataset.test
    other = coco_json([], categories=[{"id": 1, "name": "bird"}])
    with pytest.raises(ValueError, match=r"valid.*: its categories are not those of .*train"):
        coco(other, "valid/_annotations.coco.json", "valid")


def test_two_files_for_one_part_are_refused(coco):
    coco(coco_json([]))
    with pytest.raises(ValueError, match=r"train2014.json: there is instances_train2017.json too"):
        coco(coco_json([]), "annotations/instances_train2014.json")


def test_small_objects_lie_on_large_ones_whatever_the_order():
    pytest.importorskip("pycocotools")
    small, large = [[2, 2, 4, 2, 4, 4, 2, 4]], [[0, 0, 10, 0, 10, 8, 0, 8]]
    one, other = draw(small, large), draw(large, small, labels=[2, 1])
    np.testing.assert_array_equal(one, other)
    assert one[3, 3] == 1
    assert (one == 2).sum() == 80 - 4


def test_crowds_count_nowhere_but_under_single_objects():
    pytest.importorskip("pycocotools")
    crowd = {"size": [8, 10], "counts": [0, 80]}
    mask = draw([SQUARE], crowd, crowd={1})
    assert (mask == 1).sum() == 12
    assert (mask == 255).sum() == 80 - 12


def test_two_points_cover_nothing():
    assert not draw([[1, 1, 5, 5]]).any()


@given(arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))), st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_run_lengths_are_decoded_as_pycocotools_encodes_them(mask, data):
    codec = pytest.importorskip("pycocotools.mask")
    if data.draw(st.booleans()):
        mask = np.kron(mask, np.ones((9, 40), bool))
    code = codec.encode(np.asfortranarray(mask.astype("uint8")))["counts"].decode()
    np.testing.assert_array_equal(decode_runs(run_lengths(code, mask.shape), mask.shape), mask)


@given(st.lists(st.tuples(st.floats(-5, 35), st.floats(-5, 25)), min_size=3, max_size=9))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_polygons_are_drawn_as_pycocotools_draws_them(corners):
    codec = pytest.importorskip("pycocotools.mask")
    points = [value for corner in corners for value in corner]
    expected = codec.decode(codec.frPyObjects([points], 20, 30))[..., 0]
    np.testing.assert_array_equal(draw([points], size=(20, 30)), expected)


@given(st.one_of(st.text(max_size=40), st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ`no")))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_text_is_a_code_of_the_right_size_or_refused(text):
    try:
        runs = run_lengths(text, (20, 30))
    except ValueError:
        return
    assert decode_runs(runs, (20, 30)).shape == (20, 30)


def as_coco(codec, files, dataset):
    """Return a COCO file of run-length codes, one per class and image; void is a crowd."""
    images, annotations = [], []
    for index, one in enumerate(files):
        mask = dataset.load_mask(one)
        size = {"height": mask.shape[0], "width": mask.shape[1]}
        images.append({"id": index, "file_name": one.image.name, **size})
        for label in set(np.unique(mask).tolist()) - {0}:
            code = codec.encode(np.asfortranarray((mask == label).astype("uint8")))
            code["counts"] = code["counts"].decode()
            crowd = {"category_id": 1, "iscrowd": 1} if label == 255 else {"category_id": label}
            annotations.append({"image_id": index, "segmentation": code, **crowd})
    names = enumerate(dataset.class_names[1:], 1)
    categories = [{"id": label, "name": name} for label, name in names]
    return {"images": images, "annotations": annotations, "categories": categories}


def test_real_label_maps_survive_the_way_through_coco(real_data, tmp_path):
    codec = pytest.importorskip("pycocotools.mask")
    voc = open_dataset("voc", real_data("voc2007seg"))
    content = as_coco(codec, voc.val, voc)
    (tmp_path / "images").symlink_to(voc.val[0].image.parent)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_default.json").write_text(json.dumps(content))
    dataset = open_dataset("own", tmp_path)
    assert dataset.class_names == voc.class_names
    for ours, theirs in zip([*dataset.train, *dataset.val], voc.val, strict=True):
        np.testing.assert_array_equal(dataset.load(ours).mask, voc.load(theirs).mask)


def test_a_data_set_goes_to_other_processes_and_describes_itself_briefly(coco):
    dataset = coco(coco_json([{"segmentation": {"size": [8, 10], "counts": [10, 3, 67]}}]))
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(
        copy.load_mask(copy.train[0]), dataset.load_mask(dataset.train[0])
    )
    assert repr(dataset.pictures) == "Pictures(2 images)"
