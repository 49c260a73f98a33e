"""VOC's layout, and the command that writes its lists."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kseg.commands import voc_annotation
from kseg.config import UsageError, VocAnnotationConfig, parse_config
from kseg.data import open_dataset
from kseg.data.check import Survey
from kseg.data.voc_lists import split_ids, survey_masks
from kseg.palette import class_palette

LISTS = "ImageSets/Segmentation"


def write_mask(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(labels, "uint8"))
    image.putpalette(class_palette().tobytes())
    image.save(path)


@pytest.fixture
def voc(tmp_path):
    """A function that writes a year's folder of ten images with these lists."""

    def make(name="VOC2012", labels=(0, 1, 20, 255), **lists):
        folder = tmp_path / name
        for index in range(10):
            (folder / "JPEGImages").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 2)).save(folder / "JPEGImages" / f"{index}.jpg")
            write_mask(folder / "SegmentationClass" / f"{index}.png", [labels] * 2)
        (folder / LISTS).mkdir(parents=True)
        for part, text in lists.items():
            (folder / LISTS / f"{part}.txt").write_bytes(text.encode())
        return folder

    return make


def names(part):
    return [files.name for files in part]


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("voc", ".."),
        ("voc2012", ".."),
        ("VOC2012", ".."),
        ("voc", "."),
        ("voc2012", "../.."),
        ("VOC2007", "."),
    ],
)
def test_the_folder_of_a_year_is_found(name, root, voc):
    folder = voc("VOCdevkit/VOC2012", train="0\n1\n", val="2\n")
    dataset = open_dataset(name, (folder / root).resolve())
    assert names(dataset.train) == ["0", "1"]
    assert names(dataset.val) == names(dataset.test) == ["2"]
    assert (dataset.num_classes, dataset.ignore_class) == (21, 255)
    assert dataset.load(dataset.train[0]).mask.tolist() == [[0, 1, 20, 255]] * 2


def test_own_data_in_the_layout_has_two_classes_until_told(voc):
    folder = voc("cracks", train="0\n", val="1\n")
    assert open_dataset("cracks", folder.parent).class_names == ("background", "foreground")
    (folder / "classes.txt").write_text("ground\ncrack\nhole\n")
    assert open_dataset("cracks", folder.parent).class_names == ("ground", "crack", "hole")


def test_lists_of_windows_and_with_paths_are_read(voc):
    lines = "\ufeff0\r\n\r\n  1  \r\n/JPEGImages/2.jpg /SegmentationClassAug/2.png\r\n"
    folder = voc(train=lines, val="3\n")
    assert names(open_dataset("voc", folder).train) == ["0", "1", "2"]


def test_a_test_list_without_label_maps_is_left_out(voc):
    folder = voc(train="0\n", val="1\n", test="unlabelled\n")
    assert names(open_dataset("voc", folder).test) == ["1"]
    (folder / LISTS / "test.txt").write_text("2\nunlabelled\n")
    with pytest.raises(ValueError, match="test.txt: line 2: there is no 'unlabelled' in JPEGImage"):
        open_dataset("voc", folder)


def test_without_validation_list_a_tenth_is_held_out(voc):
    dataset = open_dataset("voc", voc(train="\n".join(map(str, range(10)))))
    assert names(dataset.train) == list("012345678")
    assert names(dataset.val) == names(dataset.test) == ["9"]


def test_additional_labels_and_their_list_are_preferred(voc):
    folder = voc(train="0\n", val="3\n", train_aug="0\n1\n2\n")
    assert names(open_dataset("voc", folder).train) == ["0"]
    write_mask(folder / "SegmentationClassAug" / "1.png", [[7] * 4] * 2)
    dataset = open_dataset("voc", folder)
    assert names(dataset.train) == ["0", "1", "2"]
    values = [np.unique(dataset.load_mask(files)).tolist() for files in dataset.train]
    assert values == [[0, 1, 20, 255], [7], [0, 1, 20, 255]]


@pytest.mark.parametrize("line", ["../../0", "/etc/passwd", "..\\0", "C:\\0.jpg", "/", "\u2028"])
def test_a_list_leads_nowhere_outside(line, voc):
    folder = voc(train=f"0\n{line}\n", val="1\n")
    if not line.strip():
        assert names(open_dataset("voc", folder).train) == ["0"]
        return
    with pytest.raises(ValueError, match="train.txt: line 2: there is no '.*' in JPEGImages"):
        open_dataset("voc", folder)


def test_without_any_list_the_command_that_writes_one_is_named(voc):
    with pytest.raises(ValueError, match=r"train.txt: .*tools/voc_annotation.py --VOCdevkit_path"):
        open_dataset("voc", voc())
    with pytest.raises(ValueError, match="train.txt: the list is empty"):
        open_dataset("voc", voc("VOC2007", train="\n"))


def test_real_voc_files_are_read(real_data):
    dataset = open_dataset("voc2007seg", real_data("voc2007seg").parent)
    assert [len(part) for part in dataset.splits.values()] == [94, 11, 11]
    # Without cache, which would be a file beside the real data.
    counts = Survey(dataset, cache=False).count_classes([*dataset.train, *dataset.val])
    assert (counts.pixels > 0).all()


@given(
    st.integers(1, 200),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([0.1, 0.7, 1.0]),
    st.integers(0, 2**31),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_parts_share_no_image_and_lose_none(count, trainval, train, seed):
    ids = [f"{index:03d}" for index in range(count)]
    if int(int(count * trainval) * train) == 0:
        with pytest.raises(ValueError, match="none would be for training"):
            split_ids(ids, trainval, train, seed)
        return
    parts = split_ids(ids, trainval, train, seed)
    assert sorted(parts["train"] + parts["val"]) == parts["trainval"]
    assert sorted(parts["trainval"] + parts["test"]) == ids
    assert parts == split_ids(ids, trainval, train, seed)
    assert all(part == sorted(part) for part in parts.values())


def test_shares_are_exact():
    parts = split_ids([str(i) for i in range(100)], 0.29, 1.0, 0)
    assert [len(parts[part]) for part in ("trainval", "train", "val", "test")] == [29, 29, 0, 71]


def run(*arguments):
    flags = ["--VOCdevkit_path", *map(str, arguments)]
    voc_annotation(parse_config(VocAnnotationConfig, flags))


def test_the_command_writes_lists_that_open(voc, capsys):
    folder = voc("VOCdevkit/VOC2007")
    run(folder.parent, "--trainval_percent", "0.8", "--train_percent", "0.75", "--seed", "3")
    dataset = open_dataset("voc", folder.parent)
    assert [len(part) for part in dataset.splits.values()] == [6, 2, 2]
    trainval = (folder / LISTS / "trainval.txt").read_text().split()
    assert trainval == sorted([*names(dataset.train), *names(dataset.val)])
    printed = " ".join(capsys.readouterr().out.split())
    assert "trainval.txt (8), train.txt (6), val.txt (2), test.txt (2)" in printed
    # Ten label maps of 4x2 pixels, a quarter of them 20.
    assert "20 │ │ 20 │ 25.00% │ 10" in printed
    assert "warning" not in printed


def test_lists_are_not_replaced_unasked(voc):
    folder = voc(train="0\n")
    with pytest.raises(ValueError, match="train.txt: this list is there already; pass --overwrite"):
        run(folder)
    assert (folder / LISTS / "train.txt").read_text() == "0\n"
    run(folder, "--overwrite")
    run(folder)
    assert len(open_dataset("voc", folder).train) == 9


def test_a_label_map_without_image_is_named(voc):
    folder = voc()
    (folder / "JPEGImages" / "4.jpg").unlink()
    with pytest.raises(ValueError, match=r"SegmentationClass/4.png: there is no image 4\.\*"):
        run(folder)


def test_bad_shares_and_places_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--train_percent must be at most 1, got 1.5"):
        run(tmp_path, "--train_percent", "1.5")
    with pytest.raises(ValueError, match="there are no folders JPEGImages and SegmentationClass"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("labels", "warning"),
    [
        ((0, 255, 255, 0), "all values are 0 and 255"),
        ((0, 0, 0, 0), "all label maps are 0, which is background alone"),
    ],
)
def test_values_that_cannot_be_learnt_are_warned_of(labels, warning, voc, capsys):
    run(voc(labels=labels))
    assert f"warning: {warning}" in capsys.readouterr().out


def test_label_maps_of_several_channels_are_warned_of(voc):
    folder = voc() / "SegmentationClass"
    Image.new("RGB", (4, 2), (3, 3, 3)).save(folder / "0.png")
    Image.new("RGB", (4, 2), (3, 200, 3)).save(folder / "1.png")
    (folder / "2.png").write_bytes(b"")
    survey = survey_masks(sorted(folder.iterdir()))
    assert [w.split(": ")[1][:40] for w in survey.warnings] == [
        "the label map has several channels, all ",
        "this is a colour image, not a label map;",
        "this is no image file that can be decode",
    ]
    assert survey.pixels[3] == 8
    assert survey.images[0] == 7


def test_a_cvat_export_is_read_by_its_colours(voc, capsys):
    folder = voc("cvat", default="0\n1\n2\n")
    (folder / "labelmap.txt").write_text("# label:color_rgb:parts:actions\na:9,9,9::\nb:5,6,7::\n")
    for index in range(10):
        Image.new("RGB", (4, 2), (5, 6, 7)).save(folder / "SegmentationClass" / f"{index}.png")
    dataset = open_dataset("cvat", folder.parent)
    assert dataset.class_names == ("a", "b")
    assert np.unique(dataset.load_mask(dataset.train[0])).tolist() == [1]
    shutil.rmtree(folder / "ImageSets")
    run(folder)
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 │ b │ 80 │ 100.00% │ 10" in printed
    assert "warning" not in printed
