import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.inference.sources import Film, check_targets, find_inputs, name_items

exhaustive = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Images in two levels, and things beside them that are none."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.png",
        "a.JPG",
        ".hidden.png",
        "notes.txt",
        "in/a.png",
        "in/deep/a.png",
        ".git/x.png",
        "out/a_overlay.jpg",
        "clip.mp4",
        "list[1].png",
    ):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Path("set")


def names(items):
    return [(item.path.as_posix(), item.name.as_posix()) for item in items]


def listed(text, monkeypatch):
    raw = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    return find_inputs("-")


def test_a_folder_gives_its_images_in_order(folder):
    assert names(find_inputs("set")) == [
        ("set/a.JPG", "a"),
        ("set/b.png", "b"),
        ("set/list[1].png", "list[1]"),
    ]


def test_a_link_to_a_file_that_is_gone_is_told_of_as_any_bad_file(folder):
    (folder / "in/gone.png").symlink_to("nowhere.png")
    (folder / "in/folder.png").mkdir()
    assert names(find_inputs("set/in"))[1:] == [("set/in/gone.png", "gone")]
    assert names(find_inputs("set/in/g*.png")) == [("set/in/gone.png", "gone")]


def test_folders_below_are_kept_and_the_results_left_out(folder):
    found = names(find_inputs("set", recursive=True, leave_out=folder / "out"))
    assert found[-2:] == [("set/in/a.png", "in/a"), ("set/in/deep/a.png", "in/deep/a")]
    assert len(found) == 5


def test_a_pattern_gives_the_images_it_matches(folder):
    assert names(find_inputs("set/**/a.*")) == [
        ("set/a.JPG", "a"),
        ("set/in/a.png", "in/a"),
        ("set/in/deep/a.png", "in/deep/a"),
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(folder):
    assert names(find_inputs("set/list[1].png")) == [("set/list[1].png", "list[1]")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_standard_input_lists_images_once_each(end, folder, monkeypatch):
    lines = ["set/in/a.png", "set/in/deep/a.png", "", "set/in/a.png", "set/in/missing one.png"]
    assert names(listed(end.join(lines) + end, monkeypatch)) == [
        ("set/in/a.png", "a"),
        ("set/in/deep/a.png", "deep/a"),
        ("set/in/missing one.png", "missing one"),
    ]


def test_a_listed_name_need_not_be_text(monkeypatch):
    (item,) = listed(b"scans/\xff.png\n", monkeypatch)
    assert os.fsencode(item.path) == b"scans/\xff.png"


def test_a_video_and_a_camera_are_films(folder):
    assert find_inputs("set/clip.mp4") == Film(Path("set/clip.mp4"), Path("clip"))
    assert find_inputs("0") == Film(0, Path("camera_0"))
    assert [str(find_inputs(spec)) for spec in ("set/clip.mp4", "0")] == [
        "set/clip.mp4",
        "camera 0",
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere", "nowhere: there is no such file or folder"),
        ("set/.git/deep", "no such file or folder"),
        ("set/*.tif", "no image matches this pattern"),
        ("upper", "no image in this folder; --recursive looks into the folders below it"),
        ("upper/empty", "no image in this folder$"),
    ],
)
def test_where_no_image_is_one_sentence_says_so(spec, message, folder):
    Path("upper/empty").mkdir(parents=True)
    with pytest.raises(ValueError, match=message):
        find_inputs(spec)


def test_an_empty_list_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="no name of an image"):
        listed("\n\n", monkeypatch)


def test_images_that_differ_in_the_extension_keep_it():
    files = [Path("d") / name for name in ("a.png", "a.bmp", "a_png.jpg", "b.png", "B.tif")]
    assert [item.name.name for item in name_items(files, Path("d"))] == [
        "a_png",
        "a_bmp",
        "a_png_2",
        "b_png",
        "B_tif",
    ]


parts = st.text(st.sampled_from("abAB._-2 ß"), min_size=1, max_size=4).filter(
    lambda text: text.strip(".")
)


@exhaustive
@given(st.lists(st.lists(parts, min_size=1, max_size=3), min_size=1, max_size=12))
def test_no_two_results_share_a_name_and_none_leaves_the_folder(paths):
    files = list(dict.fromkeys(Path("root", *path) for path in paths))
    items = name_items(files, Path("root"))
    assert [item.path for item in items] == files
    assert len({str(item.name).casefold() for item in items}) == len(files)
    assert all(item.name.parent == Path(*item.path.parts[1:-1]) for item in items)


@pytest.mark.parametrize("link", [None, os.link, os.symlink])
def test_a_result_never_takes_the_place_of_an_input(link, tmp_path):
    image, target = tmp_path / "a.png", tmp_path / "a_label.png"
    image.touch()
    if link:
        link(image, target)
    inputs = [image] if link else [image, target]
    target.touch()
    with pytest.raises(ValueError, match=r"a_label.png: this input would be overwritten"):
        check_targets(inputs, [Path("a")], lambda name: [tmp_path / f"{name}_label.png"])


def test_two_results_of_one_name_are_refused(tmp_path):
    names = [Path("coco"), Path("b")]
    with pytest.raises(ValueError, match="two results would have this name"):
        check_targets([], names, lambda name: [tmp_path / "coco.json"])
