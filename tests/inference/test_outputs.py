import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from kseg.config.predict import KINDS
from kseg.data.coco import open_coco
from kseg.data.labelme import ClassMap, parse_annotation, rasterise, read_annotation
from kseg.inference.outputs import WRITERS, Look, Result, make_writers
from kseg.inference.outputs.coco import CocoFile
from kseg.inference.outputs.heatmap import draw_heat
from kseg.inference.outputs.labelme import labelme_document
from kseg.inference.outputs.outlines import at_most
from kseg.inference.sources import Item
from kseg.palette import class_palette

NAMES = ("background", "nut", "long bolt/M4")
OBJECTS_ONLY = ("sky", "road", "tree")
exhaustive = settings(max_examples=60, deadline=None, derandomize=True)
label_maps = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)
)


def result_of(labels, name="sub/a", probabilities=None, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*labels.shape, 3)).astype(np.uint8)
    return Result(Item(Path(f"in/{name}.jpg"), Path(name)), image, labels, probabilities)


def write(folder, kind, *results, names=NAMES, **options):
    """Write results of one kind and return its writer."""
    (writer,) = make_writers([kind], Look(folder, names, blend=1.0), **options).values()
    writer.finish([writer.write(result) for result in results])
    paths = [path for result in results for path in writer.targets(result.item.name)]
    assert all(path.is_file() for path in [*paths, *writer.final])
    return writer


LABELS = np.array([[0, 0, 1, 1], [0, 2, 2, 1], [0, 0, 1, 1]], np.uint8)


def test_every_kind_of_the_config_has_a_writer():
    assert tuple(WRITERS) == KINDS


def test_a_label_map_is_8_bit_palette_png(tmp_path):
    write(tmp_path, "label", result_of(LABELS))
    with Image.open(tmp_path / "sub" / "a_label.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), LABELS)
        colours = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(colours, class_palette()[LABELS])


def test_colours_overlay_and_cutout_show_the_classes(tmp_path):
    result = result_of(LABELS)
    for kind in ("colour", "overlay", "cutout"):
        write(tmp_path, kind, result)
    colour, cutout = (
        np.asarray(Image.open(tmp_path / "sub" / f"a_{kind}.png")) for kind in ("colour", "cutout")
    )
    np.testing.assert_array_equal(colour, class_palette()[LABELS])
    np.testing.assert_array_equal(cutout[..., 3], np.where(LABELS > 0, 255, 0))
    np.testing.assert_array_equal(cutout[LABELS > 0][:, :3], result.image[LABELS > 0])
    assert not cutout[LABELS == 0].any()
    assert Image.open(tmp_path / "sub" / "a_overlay.jpg").size == (4, 3)


def test_without_a_background_all_pixels_are_objects(tmp_path):
    write(tmp_path, "cutout", result_of(LABELS), names=OBJECTS_ONLY)
    cutout = np.asarray(Image.open(tmp_path / "sub" / "a_cutout.png"))
    assert (cutout[..., 3] == 255).all()


def test_a_heat_map_goes_from_violet_to_yellow(tmp_path):
    image = np.zeros((1, 2, 3), np.uint8)
    cold, hot = draw_heat(image, np.array([[0.0, 1.0]]), blend=1.0)[0].tolist()
    assert cold == [68, 1, 84]
    assert hot == [253, 231, 37]
    np.testing.assert_array_equal(draw_heat(image, np.ones((1, 2)), blend=0.0), image)


def test_heat_maps_are_drawn_for_each_class_or_one(tmp_path):
    scores = np.full((3, 4, 3), 1 / 3, np.float32)
    write(tmp_path, "heatmap", result_of(LABELS, probabilities=scores))
    assert {path.name for path in (tmp_path / "sub").iterdir()} == {
        "a_heat_0_background.jpg",
        "a_heat_1_nut.jpg",
        "a_heat_2_long_bolt_M4.jpg",
    }
    for chosen in ("nut", "1"):
        writer = write(
            tmp_path / chosen, "heatmap", result_of(LABELS, probabilities=scores), heat_class=chosen
        )
        assert [path.name for path in writer.targets(Path("a"))] == ["a_heat_1_nut.jpg"]
    with pytest.raises(ValueError, match="there is no class 'screw'; classes are 0 background, 1"):
        make_writers(["heatmap"], Look(tmp_path, NAMES), "screw")


def read_back(labels, names):
    """A label map after a labelme file, drawn by `kseg.data.labelme`."""
    document = labelme_document(labels, Look(Path(), names))
    text = json.dumps({**document, "imagePath": "a.jpg"}).encode()
    annotation = parse_annotation(text, Path("a.json"))
    assert annotation.size == labels.shape
    classes = ClassMap(names)
    return rasterise(annotation.shapes, labels.shape, lambda shape: classes.value(shape, 255))


@exhaustive
@given(label_maps)
def test_labelme_polygons_give_the_same_label_map(labels):
    for names in (NAMES, OBJECTS_ONLY):
        np.testing.assert_array_equal(read_back(labels, names), labels)


def test_polygons_in_holes_are_drawn_later():
    labels = np.zeros((30, 30), np.uint8)
    for label, inset in ((1, 2), (0, 6), (2, 9), (0, 12), (1, 14)):
        labels[inset:-inset, inset:-inset] = label
    shapes = labelme_document(labels, Look(Path(), NAMES))["shapes"]
    order = ["nut", "background", "long bolt/M4", "background", "nut"]
    assert [shape["label"] for shape in shapes] == order
    assert all(len(shape["points"]) == 4 for shape in shapes)
    np.testing.assert_array_equal(read_back(labels, NAMES), labels)


def test_background_that_is_there_anyway_has_no_polygon():
    shapes = labelme_document(np.zeros((5, 5), np.uint8), Look(Path(), NAMES))["shapes"]
    assert shapes == []


def test_an_outline_of_too_many_points_is_simplified():
    angles = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    circle = np.rint(200 + 180 * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.int32)
    simple = at_most(circle, 50)
    assert 8 <= len(simple) <= 50
    radius = np.linalg.norm(simple - 200, axis=1)
    assert np.abs(radius - 180).max() < 2
    assert at_most(circle, 900) is circle


def test_labelme_files_name_their_image_and_the_classes(tmp_path):
    folder = tmp_path / "out"
    (tmp_path / "in").mkdir()
    item = Item(tmp_path / "in" / "a.jpg", Path("sub/a"))
    write(folder, "labelme", Result(item, np.zeros((3, 4, 3), np.uint8), LABELS))
    annotation = read_annotation(folder / "sub" / "a.json")
    assert annotation.image_path == "../../in/a.jpg"
    assert (folder / "classes.txt").read_text().splitlines() == list(NAMES)


@exhaustive
@given(label_maps)
def test_coco_shapes_give_the_same_label_map(labels):
    mask = pytest.importorskip("pycocotools.mask")
    for names in (NAMES, OBJECTS_ONLY):
        first = 0 if names is NAMES else 1
        drawn = np.zeros_like(labels) if names is NAMES else np.full_like(labels, 9)
        for one in CocoFile(Look(Path(), names)).write(result_of(labels))["annotations"]:
            shape, size = one["segmentation"], labels.shape
            code = mask.frPyObjects(shape, *size)
            inside = mask.decode(mask.merge(code) if isinstance(shape, list) else code) > 0
            assert one["area"] == inside.sum()
            rows, columns = np.nonzero(inside)
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            assert one["bbox"] == box
            drawn[inside] = one["category_id"] - first
        np.testing.assert_array_equal(drawn, labels)


def test_a_coco_file_is_read_by_pycocotools_and_as_a_data_set(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    ring = np.zeros((9, 9), np.uint8)
    ring[1:8, 1:8], ring[3:6, 3:6] = 1, 0
    for name in ("sub/a", "b"):
        (tmp_path / "images" / f"{name}.jpg").parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "images" / f"{name}.jpg")
    both = result_of(ring, "sub/a"), result_of(np.where(ring, 2, 0).astype(np.uint8)[::-1], "b")
    writer = write(tmp_path / "annotations", "coco", *both)
    read = coco.COCO(str(writer.final[0]))
    assert [one["name"] for one in read.loadCats(read.getCatIds())] == list(NAMES[1:])
    assert [read.annToMask(read.anns[i]).sum() for i in sorted(read.anns)] == [40, 40]
    writer.final[0].rename(tmp_path / "annotations" / "instances.json")
    dataset = open_coco("set", tmp_path)
    files = {one.image.name: one for one in (*dataset.train, *dataset.val)}
    np.testing.assert_array_equal(dataset.load_mask(files["a.jpg"]), ring)


def test_pixels_and_shares_are_counted_per_image_and_printed(tmp_path, capsys):
    write(tmp_path, "count", result_of(LABELS), result_of(np.ones((2, 2), np.uint8), "b"))
    with (tmp_path / "count.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[1] == {
        "file": "sub/a.jpg",
        "label": "1",
        "class": "nut",
        "pixels": "5",
        "share": f"{5 / 12:.6f}",
    }
    printed = capsys.readouterr().out
    # 9 of 16 pixels of both images
    assert "2 images" in printed
    assert "56.25%" in printed
