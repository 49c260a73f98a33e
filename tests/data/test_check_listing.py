"""Data sets that cannot be opened are checked as far as their files fit together."""

import json
import os
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from kseg.data.checks import CheckOptions, check_folder, write_fixed
from tests.data.check_damage import LABEL, draw, save_palette, write_set

QUICK = CheckOptions(cache=False, workers=1)


def kinds(report):
    return [finding.kind for finding in report.findings]


def write_pairs(images, labels, names, change=lambda labels: labels, start=0):
    for folder in (images, labels):
        folder.mkdir(parents=True)
    for seed, name in enumerate(names, start):
        image, mask = draw(seed)
        Image.fromarray(image).save(images / f"{name}.png")
        save_palette(change(mask), labels / f"{name}.png")


@pytest.mark.parametrize("gone", ["test_label", "train_image"])
def test_a_missing_folder_is_named_and_the_rest_checked(gone, tmp_path):
    folder = write_set(tmp_path / "set")
    Image.fromarray(np.full((24, 32), 7, np.uint8)).save(folder / "train_label" / "train2.png")
    shutil.rmtree(folder / gone)
    report = check_folder(folder, QUICK)
    found = {f.kind: f.file for f in report.findings}
    assert found["missing_folder"] == folder / gone
    assert ("label_out_of_range" in found) == (gone == "test_label")
    assert len(report.samples) == (5 if gone == "test_label" else 3)


def test_several_faults_are_found_at_once(tmp_path):
    folder = write_set(tmp_path / "set")
    (folder / "train_image" / "train0.png").unlink()
    (folder / "train_label" / "train2.png").unlink()
    (folder / "train_label" / "train3.png").write_bytes(b"")
    change = np.array(Image.open(folder / LABEL))[:-2]
    Image.fromarray(change).save(folder / LABEL)
    report = check_folder(folder, QUICK)
    assert sorted(kinds(report)) == [
        "missing_image",
        "missing_label",
        "size_mismatch",
        "unreadable",
    ]


def test_an_adapter_still_decides_how_labels_are_read(tmp_path):
    # DRIVE's labels are 0 and 255, and pixels outside the field of view count nowhere.
    folder = tmp_path / "drive"
    for part in ("training", "test"):
        names = [f"{part}{index}" for index in range(6)]
        white = dict(change=lambda m: (m > 0).astype(np.uint8) * 255)
        start = 0 if part == "training" else 50
        write_pairs(
            folder / part / "images", folder / part / "1st_manual", names, start=start, **white
        )
        (folder / part / "mask").mkdir()
        for name in names:
            field = np.full((24, 32), 255, np.uint8)
            field[:3] = 0
            Image.fromarray(field).save(folder / part / "mask" / f"{name}.png")
    assert kinds(check_folder(folder, QUICK)) == []
    (folder / "training" / "1st_manual" / "training2.png").unlink()
    report = check_folder(folder, QUICK)
    assert kinds(report) == ["missing_label"]
    assert report.splits == {"train": 1, "val": 4, "test": 6}
    assert report.classes.ignored == 255


def test_a_list_that_names_a_missing_file_is_named_with_its_line(tmp_path):
    folder = tmp_path / "voc"
    names = [f"2007_{index:06d}" for index in range(12)]
    write_pairs(folder / "JPEGImages", folder / "SegmentationClass", names)
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join(names[:9]))
    (lists / "val.txt").write_text("\n".join(names[9:]))
    assert {"too_many_classes"} >= set(kinds(check_folder(folder, QUICK)))
    (folder / "SegmentationClass" / f"{names[4]}.png").unlink()
    report = check_folder(folder, QUICK)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert [(f.kind, f.file, f.value) for f in errors] == [
        ("missing_label", lists / "train.txt", f"line 5: {names[4]} has no label map")
    ]
    assert report.splits == {"train": 8, "test": 3}
    assert report.classes.count == 21


def test_a_list_of_files_that_are_missing_is_an_error(tmp_path):
    (tmp_path / "train.txt").write_text("a.png b.png\n")
    report = check_folder(tmp_path, QUICK)
    assert kinds(report) == ["cannot_open"]
    assert "a.png" in report.findings[0].value


def test_a_bad_description_is_an_error_and_files_are_checked(tmp_path):
    folder = write_set(tmp_path / "set")
    (folder / "dataset.yaml").write_text(yaml.safe_dump({"class_name": ["ground"]}))
    report = check_folder(folder, QUICK)
    assert kinds(report)[0] == "cannot_open"
    assert "unknown key 'class_name'" in report.findings[0].value
    assert len(report.samples) == 8


def test_values_outside_the_table_of_values_are_refused(tmp_path):
    folder = write_set(tmp_path / "set")
    (folder / "dataset.yaml").write_text(
        yaml.safe_dump({"class_names": ["a", "b", "c"], "values": {0: 0, 1: 1, 2: 2}})
    )
    Image.fromarray(np.full((24, 32), 9, np.uint8)).save(folder / LABEL)
    report = check_folder(folder, QUICK)
    assert kinds(report) == ["refused_mask"]
    assert "9" in report.findings[0].value


def test_a_copy_of_another_layout_is_in_plain_folders(tmp_path):
    names = [f"scene{index}" for index in range(12)]
    write_pairs(tmp_path / "isbi" / "images", tmp_path / "isbi" / "labels", names)
    for path in (tmp_path / "isbi" / "labels").iterdir():
        labels = np.array(Image.open(path))
        Image.fromarray((labels > 0).astype(np.uint8) * 255).save(path)
    report = check_folder(tmp_path / "isbi", QUICK)
    assert kinds(report) == []
    fixed = write_fixed(report, tmp_path / "fixed")
    assert fixed.samples == {"train": 2, "val": 4, "test": 6}
    # ISBI's membranes are black in its files and label 1 here.
    copied = np.array(Image.open(tmp_path / "fixed" / "train_label" / "scene0.png"))
    np.testing.assert_array_equal(copied, draw(0)[1] == 0)
    assert kinds(check_folder(tmp_path / "fixed", QUICK)) == []


def test_pages_of_a_stack_are_named_and_become_files(tmp_path):
    scenes = [draw(seed) for seed in range(14)]
    images = [Image.fromarray(image).convert("L") for image, _ in scenes]
    labels = [Image.fromarray((labels > 0).astype(np.uint8) * 255) for _, labels in scenes]
    images[5] = images[13]
    labels[2] = Image.new("L", labels[2].size, 255)
    (tmp_path / "isbi").mkdir()
    for name, pages in (("train-volume", images), ("train-labels", labels)):
        path = tmp_path / "isbi" / f"{name}.tif"
        pages[0].save(path, save_all=True, append_images=pages[1:])
    report = check_folder(tmp_path / "isbi", QUICK)
    assert [(f.kind, f.value.split(":")[0]) for f in report.findings] == [
        ("duplicate_across", "page 5"),
        ("all_background", "page 2"),
    ]
    fixed = write_fixed(report, tmp_path / "fixed")
    assert fixed.samples == {"train": 4, "val": 3, "test": 6}
    assert kinds(check_folder(tmp_path / "fixed", QUICK)) == ["all_background"]


def test_labels_from_an_annotation_become_files(tmp_path):
    folder = tmp_path / "shapes"
    for part, count in (("train", 2), ("test", 1)):
        (folder / part).mkdir(parents=True)
        for index in range(count):
            image, _ = draw(index + 10 * count)
            Image.fromarray(image).save(folder / part / f"{part}{index}.png")
            square = [[4, 4], [20, 4], [20, 15], [4, 15]]
            shape = {"label": "disc", "points": square, "shape_type": "polygon"}
            annotation = {
                "version": "5.0.0",
                "shapes": [shape],
                "imagePath": f"{part}{index}.png",
                "imageData": None,
                "imageHeight": 24,
                "imageWidth": 32,
            }
            (folder / part / f"{part}{index}.json").write_text(json.dumps(annotation))
    report = check_folder(folder, QUICK)
    assert (kinds(report), report.class_names) == ([], ("background", "disc"))
    write_fixed(report, tmp_path / "fixed")
    labels = np.array(Image.open(tmp_path / "fixed" / "train_label" / "train0.png"))
    assert (labels[6:14, 6:18] == 1).all()
    assert kinds(check_folder(tmp_path / "fixed", QUICK)) == []


def test_the_folder_may_be_the_one_we_are_in(tmp_path, monkeypatch):
    folder = write_set(tmp_path / "set")
    monkeypatch.chdir(folder / "train_image")
    for path in ("..", os.path.join("..", "..", "set"), str(folder)):
        report = check_folder(path, QUICK)
        assert (kinds(report), report.listing.dataset.name) == ([], "set")
