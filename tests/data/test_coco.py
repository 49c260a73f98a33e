"""COCO annotations, against pycocotools where it can be trusted."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from kseg.data import open_dataset
from kseg.data.check import Survey
from kseg.data.coco_shapes import Shape, draw_shapes
from kseg.data.rle import decode_runs, run_lengths

SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]


def polygons(*outlines, **more):
    return {"segmentation": list(outlines), **more}


def draw(*segmentations, size=(8, 10), labels=None, crowd=()):
    shapes = [
        Shape(labels[i] if labels else i + 1, i in crowd, one, f"x.json: annotation {i}")
        for i, one in enumerate(segmentations)
    ]
    return draw_shapes(shapes, size, 255)


def coco_json(annotations, images=2, categories=None, **more):
    return {
        "images": [
            {"id": 10 + i, "file_name": f"{i}.jpg", "height": 8, "width": 10} for i in range(images)
        ],
        "categories": categories or [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 100 + i, "image_id": 10, "category_id": 7, "iscrowd": 0, **one}
            for i, one in enumerate(annotations)
        ],
        **more,
    }


@pytest.fixture
def coco(tmp_path):
    """A function that writes a file and its images and opens the data set."""

    def make(content, file="annotations/instances_train2017.json", images="train2017", count=2):
        for index in range(count):
            path = tmp_path / "set" / images / f"{index}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (10, 8), (index, 0, 0)).save(path)
        path = tmp_path / "set" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, "utf-8")
        return open_dataset("set", tmp_path)

    return make


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


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (None, "there is no segmentation, so no pixel is known to be of the class"),
        ([], "there is no segmentation"),
        ("text", "there is no segmentation"),
        ([[1, 1, 5]], r"a polygon is a list x, y, x, y, ... of points, not \[1, 1, 5\]"),
        ([[1, 1, 5, 1, 5]], "a polygon is a list"),
        ([7], "a polygon is a list"),
        ([[1, 1, 5, 1, 5, "4"]], "the coordinate '4' is far outside the image or no number"),
        ([[1, 1, 5, 1, 5, None]], "the coordinate None"),
        ([[1, 1, 5, 1, 1e300, 4]], "the coordinate 1e.300 is far outside"),
        ([[1, 1, 5, 1, 10**400, 4]], "the coordinate 1000.* is far outside"),
        ([[1, 1, 5, 1, float("nan"), 4]], "the coordinate nan"),
        ([[0, 0, 20, 0] * 60_000], "the outline of a polygon is 2400000 pixels long"),
        ({}, r"the run-length code is of size None, the image is \[8, 10\]"),
        ({"size": [10, 8], "counts": [80]}, r".*of size \[10, 8\], the image is \[8, 10\]"),
        ({"size": [8, 10]}, "the run lengths are no whole numbers"),
        ({"size": [8, 10], "counts": [79]}, ".*not those of a mask of 10x8 pixels"),
        ({"size": [8, 10], "counts": [-5, 85]}, "the run lengths are no whole numbers"),
        ({"size": [8, 10], "counts": [80.0]}, "the run lengths are no whole numbers"),
        ({"size": [8, 10], "counts": [10**30]}, ".*not those of a mask"),
        ({"size": [8, 10], "counts": "o"}, "this compressed run-length code is cut off"),
        ({"size": [8, 10], "counts": "\u20ac"}, "this is no compressed run-length code"),
        ({"size": [8, 10], "counts": "o" * 50}, "this is no compressed run-length code"),
    ],
)
def test_damaged_segmentations_are_named(segmentation, message):
    with pytest.raises(ValueError, match=f"x.json: annotation 0: {message}") as caught:
        draw(segmentation)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": []}, "the list 'images' is empty"),
        ({"images": {}}, "this is no COCO file, it has no list 'images'"),
        ({"annotations": [3]}, "this is no COCO file, it has no list 'annotations'"),
        ({"categories": [{"id": 1}]}, "category 1 has no name"),
        ({"categories": [{"id": None, "name": "a"}]}, "category 0: id must be a number, not None"),
        ({"categories": [{"id": 1, "name": "a"}] * 2}, "2 categories; ids must differ"),
        ({"categories": [{"id": i, "name": "a"} for i in range(300)]}, "300 categories; .* 254 at"),
        ({"annotations": [{"id": 5, "image_id": 99, "category_id": 7}]}, "annotation 5: its image"),
        ({"annotations": [{"id": 5, "image_id": 10, "category_id": 9}]}, "annotation 5: its image"),
        ({"annotations": [{"image_id": []}]}, r"annotation 'number 0': image_id must be a number"),
    ],
)
def test_files_that_do_not_fit_together_are_named(change, message, coco):
    with pytest.raises(ValueError, match=f"instances_train2017.json: {message}"):
        coco(coco_json([]) | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file_name": "../secret.jpg"}, "'../secret.jpg' leaves the folder"),
        ({"file_name": "/etc/passwd"}, "leaves the folder"),
        ({"file_name": "..\\a.jpg"}, "leaves the folder"),
        ({"file_name": "9.jpg"}, "image 11: there is no file"),
        ({"file_name": None}, "image 11: file_name must be text, not None"),
        ({"file_name": "0.jpg"}, "an image id or a file name appears twice"),
        ({"id": 10}, "an image id or a file name appears twice"),
        ({"height": 10**6, "width": 10**6}, "image 11: the image has more than .* pixels"),
        ({"height": 8.0}, r"height and width must be whole numbers, not \(8.0, 10\)"),
        ({"height": True}, "height and width must be whole numbers"),
        ({"height": 0}, "height and width must be whole numbers"),
    ],
)
def test_images_that_cannot_be_are_named(change, message, coco):
    content = coco_json([])
    content["images"][1].update(change)
    with pytest.raises(ValueError, match=f"instances_train2017.json: .*{message}"):
        coco(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this JSON cannot be read"),
        ("[" * 100_000, "the JSON is nested too deeply"),
        ('{"images": NaN}', "NaN is no number"),
        ('{"images": [], "images": []}', "the key 'images' appears twice"),
        ("[]", "this is no COCO file"),
    ],
)
def test_json_that_is_no_annotation_is_named(text, message, coco):
    with pytest.raises(ValueError, match=f"instances_train2017.json: .*{message}"):
        coco(text)


def test_a_size_that_the_image_has_not_is_named(coco):
    content = coco_json([])
    content["images"][0]["width"] = 11
    dataset = coco(content)
    with pytest.raises(ValueError, match="the label map is 11x8 but its image 0.jpg is 10x8"):
        dataset.load(dataset.train[0])


def test_names_of_classes_are_not_given_twice(coco, tmp_path):
    coco(coco_json([]))
    (tmp_path / "set" / "dataset.yaml").write_text("channels: 1")
    dataset = open_dataset("set", tmp_path)
    assert dataset.load(dataset.train[0]).image.shape == (8, 10, 1)
    (tmp_path / "set" / "dataset.yaml").write_text("class_names: [a, b, c]")
    with pytest.raises(ValueError, match="dataset.yaml: leave class_names out, the annotations"):
        open_dataset("set", tmp_path)


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
