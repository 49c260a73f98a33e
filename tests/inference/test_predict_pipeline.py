"""What happens to images on their way through the predict command."""

import json
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from kseg.cli import main
from kseg.config import PredictConfig
from kseg.inference.predict import _report, predict
from kseg.inference.sources import Item, find_inputs
from tests.inference import predict_runs
from tests.inference.bright import bright_predictor, half_bright, save_picture
from tests.inference.predict_runs import pipeline_of, share_right

# Fixtures.
model, at = predict_runs.model, predict_runs.at


def test_images_of_one_size_share_a_batch(at):
    sizes = [(64, 64), (32, 96), (64, 64), (32, 96), (64, 64)]
    for index, size in enumerate(sizes):
        save_picture(at / f"in/{index}.png", half_bright(*size))
    predictor = bright_predictor()
    pipeline = pipeline_of(predictor, batch_size=2)
    rows = list(pipeline.rows(find_inputs("in")))
    assert [row["error"] for row in rows] == [None] * 5
    shapes = predictor.engines[0].shapes
    assert sorted(shapes) == [(1, 64, 64, 3), (2, 32, 96, 3), (2, 64, 64, 3)]
    for index, size in enumerate(sizes):
        assert share_right(f"out/{index}_label.png", size) == 1


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("this image\nis white"), "this image is white"),
        (RuntimeError("RESOURCE_EXHAUSTED: 9 GB"), "too large for the memory; --tile runs it in "),
    ],
)
def test_one_image_that_the_model_refuses_does_not_spoil_its_batch(raised, said, at):
    predictor = bright_predictor()
    answer = predictor.predict_padded

    def refuse_white(images, batch_size):
        if any(image.min() == 255 for image in images):
            raise raised
        return answer(images, batch_size)

    predictor.predict_padded = refuse_white
    for name, image in (("a", half_bright(32, 32)), ("b", np.full((32, 32, 3), 255, np.uint8))):
        save_picture(at / f"in/{name}.png", image)
    rows = pipeline_of(predictor).batch_rows(find_inputs("in"))
    assert rows[0]["error"] is None
    assert rows[1]["error"].startswith("in/b.png: ")
    assert said in rows[1]["error"]


def test_a_lone_image_of_its_size_is_computed_once_for_heat_maps(at):
    for index, size in enumerate([(64, 64), (32, 96)]):
        save_picture(at / f"in/{index}.png", half_bright(*size))
    predictor = bright_predictor()
    rows = list(pipeline_of(predictor, ("heatmap",), batch_size=4).rows(find_inputs("in")))
    assert [row["error"] for row in rows] == [None] * 2
    assert sorted(predictor.engines[0].shapes) == [(1, 32, 96, 3), (1, 64, 64, 3)]


def test_a_large_image_that_is_too_much_for_a_device_gets_one_line(at):
    predictor = bright_predictor()

    def refuse(batch):
        raise RuntimeError("CUDA out of memory. Tried to allocate 9 GiB")

    predictor.run = refuse
    save_picture(at / "in/a.png", half_bright(64, 64))
    (row,) = pipeline_of(predictor, strips_above=1000).rows(find_inputs("in"))
    assert (
        row["error"] == "in/a.png: the image is too large for the memory; --tile runs it in tiles"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_names_that_are_no_text_are_written_as_escapes(at, model, capsys):
    name = os.fsdecode(b"stra\xdfe.png")
    save_picture(at / "in" / name, half_bright(32, 32))
    main(
        ["predict", "--model", str(model), "--input", "in", "--output", "out"]
        + ["--save", "label,count,coco,labelme"]
    )
    assert (at / "out" / os.fsdecode(b"stra\xdfe_label.png")).is_file()
    assert "stra\\udcdfe.png" in (at / "out/count.csv").read_text("utf-8")
    (image,) = json.loads((at / "out/coco.json").read_text("utf-8"))["images"]
    assert image["file_name"] == name


def test_what_cannot_be_written_is_reported_for_its_file(at, model):
    save_picture(at / "in/a.png", half_bright(32, 32))
    (at / "out").write_text("a file in the way")
    with pytest.raises(ValueError, match="1 of 1 files could not be read or segmented: in/a.png"):
        predict(PredictConfig(str(model), "in", "out"))


def test_what_is_known_of_each_image_does_not_stay_in_memory(at):
    pipeline = pipeline_of(bright_predictor(), ("coco",))

    def rows(items):
        for item in items:
            image = {"file_name": item.file_name, "height": 9, "width": 9}
            shapes = [{"category_id": 1, "segmentation": [list(range(300, 20_300))]}]
            record = {"image": image, "annotations": shapes}
            yield {"file": item, "error": None, "note": "", "records": {"coco": record}}

    items = [Item(Path(f"{name}.png"), Path(name)) for name in "gfedcba" * 10]
    tracemalloc.start()
    _report(pipeline, rows(items), len(items))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The numbers of one image take 0.7 MB, those of all of them 50.
    assert peak < 6e6
    coco = json.loads(Path("out/coco.json").read_text())
    assert [one["file_name"][0] for one in coco["images"][::10]] == list("abcdefg")
    assert [one["image_id"] for one in coco["annotations"]] == list(range(1, 71))
    assert coco["annotations"][-1]["segmentation"][0][-1] == 20_299


def test_rows_of_a_batch_come_in_the_order_of_the_files(at):
    for index, size in enumerate([(32, 32), (64, 64), (32, 32)]):
        save_picture(at / f"in/{index}.png", half_bright(*size))
    items = find_inputs("in")
    rows = pipeline_of(bright_predictor(), batch_size=2).batch_rows(items)
    assert [row["file"] for row in rows] == items
