import json

import numpy as np
import pytest

from kseg.data.check import Survey
from kseg.data.classes import with_classes
from kseg.data.labelme import Split, is_labelme_folder, list_parts, open_labelme, read_labels
from tests.data.labelme_files import (
    document,
    picture,
    shape,
    write_json,
    write_pair,
)


@pytest.fixture
def folder(tmp_path):
    """Five files; the labels of each begin with another one."""
    for index, label in enumerate(["dog", "cat", "__ignore__", "_background_", "bird"]):
        write_pair(tmp_path, f"img.{index}.x", shape("cat"), shape(label), seed=index)
    return tmp_path


def samples(dataset):
    return {files.name: files for part in dataset.splits.values() for files in part}


def test_all_files_share_one_class_map_which_is_kept(folder):
    dataset = open_labelme("own", folder)
    assert dataset.class_names == ("background", "bird", "cat", "dog")
    values = {name: int(dataset.load_mask(files).max()) for name, files in samples(dataset).items()}
    assert [values[f"img.{i}.x"] for i in range(5)] == [3, 2, 255, 0, 1]
    assert (folder / "classes.txt").read_text() == "_background_\nbird\ncat\ndog\n"
    write_pair(folder, "new", shape("ape"))
    with pytest.raises(ValueError, match=r"new\.json: shapes\[0\] \('ape'\): the label is not in"):
        open_labelme("own", folder)


def test_a_sample_is_the_image_and_its_drawn_shapes(folder):
    dataset = open_labelme("own", folder)
    sample = dataset.load(samples(dataset)["img.2.x"])
    assert (sample.image == picture(seed=2)).all()
    assert set(np.unique(sample.labels)) == {0, 255}
    every = [*dataset.train, *dataset.val, *dataset.test]
    assert Survey(dataset).count_classes(every).pixels.sum() > 0
    other = with_classes(dataset, 6, 200)
    assert set(np.unique(other.load_mask(samples(dataset)["img.2.x"]))) == {0, 200}


def test_labels_come_in_the_order_of_a_file(folder):
    (folder / "own.txt").write_text("__ignore__\n\ndog\ncat \nbird\n", "utf-8-sig")
    assert read_labels(folder / "own.txt").names == ("_background_", "dog", "cat", "bird")
    dataset = open_labelme("own", folder, labels=folder / "own.txt")
    assert dataset.load_mask(samples(dataset)["img.0.x"]).max() == 1
    assert not (folder / "classes.txt").exists()


def test_an_unknown_label_is_named_with_all_others(folder):
    (folder / "labels.txt").write_text("_background_\ncats\nbird\n")
    message = (
        r"img\.0\.x\.json: shapes\[0\] \('cat'\): the label is not in .*labels\.txt; "
        r"did you mean 'cats'\? \(also unknown: 'dog'\)"
    )
    with pytest.raises(ValueError, match=message):
        open_labelme("own", folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat\n_background_\n", "_background_ is class 0, so it must be the first class"),
        ("background\n_background_\n", "it must be the first class"),
        ("cat\ndog\ncat\n", "the class 'cat' is listed twice"),
        ("\n".join(map(str, range(255))), "256 classes are more than 255"),
    ],
)
def test_a_bad_file_of_labels_is_named(text, message, tmp_path):
    (tmp_path / "l.txt").write_text(text)
    with pytest.raises(ValueError, match=rf"l\.txt: .*{message}"):
        read_labels(tmp_path / "l.txt")


def test_a_file_of_labels_that_is_missing_or_no_utf8_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"l\.txt: cannot be read"):
        read_labels(tmp_path / "l.txt")
    (tmp_path / "l.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(ValueError, match=r"l\.txt: this is no UTF-8 text"):
        read_labels(tmp_path / "l.txt")


def test_files_are_dealt_out_by_share_and_seed(tmp_path):
    for index in range(20):
        write_json(tmp_path, f"{index:02d}", document())
    parts = list_parts(tmp_path, Split(val=0.1, test=0.2, seed=1))
    assert [len(parts[name]) for name in ("train", "val", "test")] == [14, 2, 4]
    assert sorted(sum(parts.values(), [])) == sorted(tmp_path.glob("*.json"))
    assert parts == list_parts(tmp_path, Split(val=0.1, test=0.2, seed=1))
    assert parts != list_parts(tmp_path, Split(val=0.1, test=0.2, seed=2))
    assert list_parts(tmp_path, Split(val=0, test=0))["test"] == []


def test_files_stay_in_their_parts_when_others_are_added(tmp_path):
    for index in range(20):
        write_pair(tmp_path, f"img {index}", shape("cat"), seed=index)
    before = open_labelme("own", tmp_path)
    (tmp_path / "img 7.json").unlink()
    for index in range(20, 60):
        write_pair(tmp_path, f"img {index}", shape("cat"), seed=index)
    after = open_labelme("own", tmp_path)
    assert [len(part) for part in after.splits.values()] == [47, 6, 6]
    for part, files in before.splits.items():
        assert set(files) - set(after.splits[part]) <= {samples(before)["img 7"]}
    parts = list_parts(tmp_path, Split())
    assert [len(files) for files in parts.values()] == [47, 6, 6]
    assert [files.mask for files in after.val] == parts["val"]


def test_another_split_neither_follows_the_kept_parts_nor_changes_them(folder):
    open_labelme("own", folder)
    text = (folder / "parts.txt").read_text()
    assert text.startswith("# val 0.1, test 0.1, seed 0\n")
    parts = [open_labelme("own", folder, split=Split(seed=seed)).train for seed in range(4)]
    assert len(set(map(tuple, parts))) > 1
    assert (folder / "parts.txt").read_text() == text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("train img.0.x.json", "line 2: there must be train, val or test, a tab and the name"),
        ("learn\timg.0.x.json", "line 2: .* not 'learn"),
        ("\n".join(f"train\timg.{i}.x.json" for i in range(5)), "no file is left for the part val"),
    ],
)
def test_kept_parts_that_cannot_be_followed_are_named(lines, message, folder):
    (folder / "parts.txt").write_text(f"# val 0.1, test 0.1, seed 0\n{lines}\n")
    with pytest.raises(ValueError, match=rf"parts\.txt: {message}"):
        open_labelme("own", folder)


def test_subfolders_are_the_parts(tmp_path):
    write_pair(tmp_path / "train", "a", shape("cat"))
    write_pair(tmp_path / "val", "b", shape("dog"))
    dataset = open_labelme("own", tmp_path)
    assert [[f.name for f in part] for part in dataset.splits.values()] == [["a"], ["b"], ["b"]]
    assert is_labelme_folder(tmp_path)
    write_pair(tmp_path, "c", shape("dog"))
    with pytest.raises(ValueError, match=r"c\.json: this file lies beside the folder train"):
        open_labelme("own", tmp_path)


def test_one_stem_twice_or_one_image_twice_is_refused(tmp_path):
    write_pair(tmp_path / "train", "a", shape())
    write_pair(tmp_path / "val", "A", shape())
    with pytest.raises(ValueError, match=r"A\.json: .*a\.json gives a label map of the same name"):
        open_labelme("own", tmp_path)
    for stem in "bcd":
        write_pair(tmp_path / "flat", stem, shape(), imagePath="b.png")
    with pytest.raises(ValueError, match=r"c\.json: .*b\.json names the same image"):
        open_labelme("own", tmp_path / "flat")


@pytest.mark.parametrize(
    ("stems", "split", "message"),
    [
        ("", None, "there is no JSON file"),
        ("ab", None, "2 JSON files are too few for parts of 1 to validate and 1 to test"),
        ("ab", (0, 0), "there is nothing to validate with"),
        ("ab", (0.5, 0.5), "must be at least 0 and leave some for training, got 0.5 and 0.5"),
        ("ab", (-0.1, 0.5), "must be at least 0"),
    ],
)
def test_too_few_files_are_refused(stems, split, message, tmp_path):
    for stem in stems:
        write_pair(tmp_path, stem, shape())
    with pytest.raises(ValueError, match=message):
        open_labelme("own", tmp_path, split=split and Split(*split))


def test_a_folder_without_labelme_files_is_none(tmp_path):
    assert not is_labelme_folder(tmp_path)
    write_json(tmp_path, "coco", {"annotations": []})
    assert not is_labelme_folder(tmp_path)
    write_json(tmp_path, "broken", "{")
    assert not is_labelme_folder(tmp_path)


def test_a_label_that_a_file_of_labels_cannot_hold_is_refused(tmp_path):
    for stem in "abc":
        write_pair(tmp_path, stem, shape("#1"))
    with pytest.raises(ValueError, match="the class '#1' begins with #"):
        open_labelme("own", tmp_path)


def test_names_and_labels_of_any_script_are_read(tmp_path):
    for part in ("train", "val"):
        write_pair(tmp_path / part, f"{part} фото.猫", shape("кот 猫"))
    dataset = open_labelme("own", tmp_path)
    assert dataset.class_names == ("background", "кот 猫")
    assert dataset.load(dataset.train[0]).name == "train фото.猫"
    raw = json.loads(dataset.train[0].mask.read_text("utf-8"))
    assert raw["shapes"][0]["label"] == "кот 猫"
