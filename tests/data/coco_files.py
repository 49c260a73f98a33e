"""COCO files, drawn and written for tests."""

import json

import pytest
from PIL import Image

from kseg.data import open_dataset
from kseg.data.coco_shapes import Shape, draw_shapes

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
