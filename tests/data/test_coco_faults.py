"""COCO files that do not fit, each named in a sentence."""

import pytest

from kseg.data import open_dataset
from tests.data import coco_files
from tests.data.coco_files import coco_json, draw

# Fixtures.
coco = coco_files.coco


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
