import re
import shutil

import numpy as np
import pytest
from PIL import Image

from kseg.commands import json_to_dataset
from kseg.config import LabelmeConfig, UsageError, parse_config
from kseg.data import open_dataset
from kseg.data.labelme import LAYOUTS, Split, convert_folder, open_labelme
from kseg.palette import class_palette
from tests.conftest import ROOT
from tests.data.labelme_files import SIZE, picture, png_text, shape, write_pair

RECTANGLE = [[2, 1], [5, 4]]


@pytest.fixture
def folder(tmp_path):
    """Ten files whose labels are all different; two have names with dots."""
    for index in range(10):
        stem = f"scan.{index}.final" if index < 2 else f"scan{index}"
        write_pair(tmp_path / "in", stem, shape(f"c{index}", "rectangle", RECTANGLE), seed=index)
    return tmp_path / "in"


def tree(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_mask_png_holds_all_label_maps_of_a_folder(folder, tmp_path):
    result = convert_folder(folder, tmp_path / "out")
    stems = sorted(path.stem for path in folder.glob("*.json"))
    expected = [f"{kind}/{stem}.png" for kind in ("image", "mask_png") for stem in stems]
    assert tree(tmp_path / "out") == sorted([*expected, "classes.txt", "dataset.yaml"])
    mask = Image.open(tmp_path / "out" / "mask_png" / "scan.1.final.png")
    # Sorted labels: c1 is class 2, 4 x 4 pixels.
    assert np.bincount(np.asarray(mask).ravel()).tolist() == [SIZE[0] * SIZE[1] - 16, 0, 16]
    assert mask.getpalette() == class_palette().ravel().tolist()
    assert result.counts == {"all": 10}
    assert result.pixels[:11].tolist() == [10 * (30 * 40 - 16), *[16] * 10]


def test_images_are_copied_byte_for_byte(folder, tmp_path):
    convert_folder(folder, tmp_path / "out")
    copy, own = (place / "scan.1.final.png" for place in (tmp_path / "out" / "image", folder))
    assert copy.read_bytes() == own.read_bytes()


def test_voc_has_jpeg_images_and_lists_of_names(folder, tmp_path):
    convert_folder(folder, tmp_path / "out", "voc", split=Split(0.2, 0.3))
    files = tree(tmp_path / "out")
    assert sum(name.startswith("JPEGImages/") and name.endswith(".jpg") for name in files) == 10
    assert sum(name.startswith("SegmentationClass/") for name in files) == 10
    lists = tmp_path / "out" / "ImageSets" / "Segmentation"
    names = {path.stem: path.read_text().split() for path in lists.iterdir()}
    assert {part: len(lines) for part, lines in names.items()} == {
        "train": 5,
        "val": 2,
        "test": 3,
        "trainval": 7,
    }
    dataset = open_dataset("out", tmp_path)
    assert [len(part) for part in dataset.splits.values()] == [5, 2, 3]
    assert (dataset.num_classes, dataset.ignore_class) == (11, 255)
    assert sorted(names["trainval"] + names["test"]) == sorted(
        p.stem for p in folder.glob("*.json")
    )


def test_folders_are_ready_for_training_and_equal_the_direct_reading(folder, tmp_path):
    convert_folder(folder, tmp_path / "out", "folders")
    converted, direct = open_dataset("out", tmp_path), open_labelme("in", folder)
    assert converted.class_names == ("_background_", *(f"c{index}" for index in range(10)))
    assert (converted.num_classes, converted.ignore_class) == (11, 255)
    for part in ("train", "val", "test"):
        pairs = list(zip(converted.splits[part], direct.splits[part], strict=True))
        assert pairs
        for one, other in pairs:
            ours, theirs = converted.load(one), direct.load(other)
            assert ours.name == theirs.name
            assert (ours.image == theirs.image).all()
            assert (ours.labels == theirs.labels).all()


@pytest.mark.parametrize("layout", ["mask_png", "voc", "folders"])
def test_nothing_is_overwritten_without_the_flag(layout, folder, tmp_path):
    output = tmp_path / "out"
    convert_folder(folder, output, layout)
    before = {name: (output / name).stat().st_mtime_ns for name in tree(output)}
    with pytest.raises(ValueError, match="is there already; .* --overwrite"):
        convert_folder(folder, output, layout)
    assert before == {name: (output / name).stat().st_mtime_ns for name in tree(output)}
    convert_folder(folder, output, layout, overwrite=True)
    after = {name: (output / name).stat().st_mtime_ns for name in tree(output)}
    assert before.keys() == after.keys()
    assert all(before[name] < after[name] for name in before)


def stems(path):
    return sorted(file.stem for file in path.iterdir())


def test_overwriting_moves_files_to_their_new_parts(folder, tmp_path):
    output = tmp_path / "out"
    convert_folder(folder, output, "folders", split=Split(0.1, 0.1))
    (output / "train_image" / "my own.png").write_bytes(b"")
    before = {part: stems(output / f"{part}_label") for part in ("train", "val", "test")}
    for index in range(10, 14):
        write_pair(folder, f"more{index}", shape("c0"), seed=index)
    convert_folder(folder, output, "folders", split=Split(0.3, 0.2, seed=1), overwrite=True)
    (output / "train_image" / "my own.png").unlink()
    after = {part: stems(output / f"{part}_label") for part in before}
    assert {part: len(found) for part, found in after.items()} == {"train": 7, "val": 4, "test": 3}
    assert after == {part: stems(output / f"{part}_image") for part in before}
    assert set(before["train"]) - set(after["train"])
    assert sorted(sum(after.values(), [])) == sorted(path.stem for path in folder.glob("*.json"))


def test_overwriting_label_maps_alone_leaves_all_images(folder, tmp_path):
    output = tmp_path / "out"
    convert_folder(folder, output, "folders")
    images = [name for name in tree(output) if "_image/" in name]
    options = {"split": Split(0.3, 0.2, seed=1), "copy_images": False, "overwrite": True}
    convert_folder(folder, output, "folders", **options)
    assert [name for name in tree(output) if "_image/" in name] == images


@pytest.mark.parametrize("layout", ["mask_png", "voc", "folders"])
def test_overwriting_never_leaves_a_label_map_of_another_file(layout, folder, tmp_path):
    output = tmp_path / "out"
    convert_folder(folder, output, layout)
    before = tree(output)
    (folder / "scan7.json").unlink()
    with pytest.raises(ValueError, match=r"scan7\.png: this label map is of none of the"):
        convert_folder(folder, output, layout, overwrite=True)
    assert tree(output) == before


def test_label_maps_may_join_images_that_are_there(folder, tmp_path):
    convert_folder(folder, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "mask_png")
    convert_folder(folder, tmp_path / "out", copy_images=False)
    assert len(tree(tmp_path / "out" / "mask_png")) == 10


def test_one_output_folder_never_mixes_two_class_maps(folder, tmp_path):
    write_pair(tmp_path / "more", "extra", shape("ape"))
    convert_folder(folder, tmp_path / "out")
    with pytest.raises(ValueError, match=r"classes\.txt: the classes of this output folder"):
        convert_folder(tmp_path / "more", tmp_path / "out")


def test_sources_are_never_written_to(folder, tmp_path):
    folder.rename(tmp_path / "image")
    with pytest.raises(ValueError, match="image: this folder is read from"):
        convert_folder(tmp_path / "image", tmp_path, overwrite=True)
    assert (np.asarray(Image.open(tmp_path / "image" / "scan5.png")) == picture(seed=5)).all()


def test_sources_are_never_taken_for_what_an_earlier_conversion_wrote(folder, tmp_path):
    folder.rename(tmp_path / "test_image")
    (tmp_path / "test_label").mkdir()
    before = tree(tmp_path)
    for split in (Split(0.2, 0), Split(0.2, 0.2)):
        with pytest.raises(ValueError, match="test_image: this folder is read from"):
            convert_folder(
                tmp_path / "test_image", tmp_path, "folders", split=split, overwrite=True
            )
    assert tree(tmp_path) == before


def test_one_bad_file_stops_before_anything_is_written(folder, tmp_path):
    write_pair(folder, "zzz", shape(points=[[0, 0], [1, 1]]))
    with pytest.raises(ValueError, match=r"zzz\.json: shapes\[0\]"):
        convert_folder(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ignored_shapes_get_a_label_that_is_no_class(folder, tmp_path):
    write_pair(folder, "ignored", shape("__ignore__", "rectangle", RECTANGLE))
    result = convert_folder(folder, tmp_path / "out", ignore_class=200)
    assert result.pixels[200] == 16
    assert "200 __ignore__" in result.lines(200)[-1]
    with pytest.raises(ValueError, match="the label 3 of __ignore__ is the class 'c2'; use 255"):
        convert_folder(folder, tmp_path / "other", ignore_class=3)


@pytest.mark.parametrize(("layout", "suffix"), [("mask_png", ".png"), ("voc", ".jpg")])
def test_turned_images_are_written_upright(layout, suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_pair(tmp_path / "in", "a", shape(), imageHeight=40, imageWidth=30)
    Image.fromarray(picture()).save(tmp_path / "in" / "a.png", exif=exif)
    split = Split(0, 0)
    convert_folder(tmp_path / "in", tmp_path / "out", layout, split=split)
    image = next((tmp_path / "out").rglob(f"*mage*/a{suffix}"))
    with Image.open(image) as written:
        assert written.size == SIZE
        assert not written.getexif()


@pytest.mark.parametrize("embedded", [False, True])
def test_a_damaged_image_is_not_copied(embedded, tmp_path):
    data = png_text(picture())[:-2000]
    path = write_pair(tmp_path / "in", "a", shape(), **({"imageData": data} if embedded else {}))
    if not embedded:
        path.with_suffix(".png").write_bytes(path.with_suffix(".png").read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"a\.(json: imageData is|png: the image .*) damaged"):
        convert_folder(tmp_path / "in", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("a.*"))


def test_images_of_other_formats_keep_their_bytes_unless_they_must_be_jpeg(tmp_path):
    deep = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE) * 50
    path = write_pair(tmp_path / "in", "a", shape(), imagePath="a.tif")
    path.with_suffix(".png").unlink()
    Image.fromarray(deep).save(path.with_suffix(".tif"))
    convert_folder(tmp_path / "in", tmp_path / "out")
    assert (np.asarray(Image.open(tmp_path / "out" / "image" / "a.tif")) == deep).all()
    convert_folder(tmp_path / "in", tmp_path / "voc", "voc", split=Split(0, 0))
    written = np.asarray(Image.open(tmp_path / "voc" / "JPEGImages" / "a.jpg"))[..., 0]
    assert np.abs(written - deep / 257).mean() < 2


def test_an_embedded_image_is_written_as_it_is_shown(tmp_path):
    write_pair(tmp_path / "in", "a.b", shape(), imageData=png_text(picture(seed=3)), seed=4)
    convert_folder(tmp_path / "in", tmp_path / "out")
    written = np.asarray(Image.open(tmp_path / "out" / "image" / "a.b.png"))
    assert (written == picture(seed=3)).all()


def test_an_unknown_layout_is_named(folder, tmp_path):
    with pytest.raises(
        ValueError, match="layout must be one of mask_png, voc, folders, got 'coco'"
    ):
        convert_folder(folder, tmp_path / "out", "coco")


def test_the_command_prints_the_share_of_each_class(folder, tmp_path, capsys):
    out = str(tmp_path / "out")
    json_to_dataset(LabelmeConfig(str(folder), out, "folders", val_ratio=0.3))
    printed = capsys.readouterr().out
    assert "label maps: 6 train, 3 val, 1 test" in printed
    # 16 of 10 * 30 * 40 pixels.
    assert "   1 c0                     0.133%" in printed
    assert printed.endswith(f"wrote {out}\n")


def test_the_script_takes_the_folder_first(run_script):
    tool = ROOT / "tools" / "json_to_dataset.py"
    done = run_script(tool, "some folder", "--ignore_class", "300")
    assert done.returncode == 2
    assert done.stderr.endswith("error: --ignore_class must be at most 255, got 300\n")


def test_the_page_in_docs_is_right(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    page = (ROOT / "docs" / "data_labelme.md").read_text("utf-8")
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], {})
    assert "('background', 'crack') (60, 80, 3) [0 1]" in capsys.readouterr().out
    command = re.search(r"json_to_dataset.py (.*)", page)[1]
    config = parse_config(LabelmeConfig, command.split())
    assert (config.json_dir, config.layout) == ("data/scans", "folders")
    assert all(f"`{layout}`" in page for layout in LAYOUTS)


def test_bad_settings_are_named():
    with pytest.raises(UsageError, match="--ignore_class must be at most 255"):
        LabelmeConfig("a", ignore_class=256)
