"""Lists of files: text and CSV, from friends and from strangers."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kseg.data import open_dataset
from kseg.data.lists import read_list
from kseg.data.paths import path_inside

FILES = ("a.png", "b c.png", "sub/d.png", "mask/a.png", "mask/b c.png", "mask/d.png", "fov.png")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder of images and masks, and one image beside it."""
    folder = tmp_path_factory.mktemp("lists") / "set"
    for name in (*FILES, "../secret.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2)).save(folder / name)
    return folder


def samples(root, text, name="train.txt"):
    path = root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        found = read_list(path, root)
    finally:
        path.unlink()
    relative = (
        [os.path.relpath(p, root) if p else None for p in (f.image, f.mask, f.valid)] for f in found
    )
    return [[part for part in one if part] for one in relative]


A, B = ["a.png", "mask/a.png"], ["b c.png", "mask/b c.png"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("train.txt", "a.png mask/a.png\nsub/d.png   mask/d.png", [A, ["sub/d.png", "mask/d.png"]]),
        ("train.txt", "a.png\tmask/a.png\nb c.png\tmask/b c.png\n", [A, B]),
        ("train.txt", "\ufeff# list\r\n\r\na.png mask\\a.png\r\n", [A]),
        ("train.txt", "./a.png mask/a.png fov.png", [[*A, "fov.png"]]),
        ("train.csv", "a.png,mask/a.png\nb c.png,mask/b c.png", [A, B]),
        ("train.csv", "\ufeffimage;mask\r\na.png;mask\\a.png\r\n;\r\n"[:-3], [A]),
        ("train.csv", 'label,x,Image\n"mask/b c.png",7,"b c.png"\n', [B]),
        ("train.csv", "image,mask,valid\na.png,mask/a.png,fov.png\n", [[*A, "fov.png"]]),
        ("train.csv", "image,mask,valid\na.png,mask/a.png,\na.png,mask/a.png", [A, A]),
        ("train.csv", "a.png\tmask/a.png\n", [A]),
    ],
)
def test_lists_are_read(name, text, expected, root):
    assert samples(root, text, name) == expected


def test_absolute_paths_inside_the_folder_are_taken(root):
    assert samples(root, f"{root}/a.png\t{root}/mask/a.png") == [A]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("../secret.png", "the path '../secret.png' leaves the folder"),
        ("mask/../../secret.png", "leaves the folder"),
        ("..\\secret.png", "leaves the folder"),
        ("/etc/passwd", "leaves the folder"),
        ("C:\\data\\a.png", "leaves the folder"),
        ("C:a.png", "leaves the folder"),
        ("\\\\server\\share\\a.png", "leaves the folder"),
        ("~/a.png", "there is no file"),
        ("nan", "there is no file"),
        ("mask", "there is no file"),
        (".", "is no path of a file"),
        ("a\0.png", "is no path of a file"),
        ("a\x1b[31m.png", r"'a\\x1b\[31m.png' is no path of a file"),
        ("a" * 5000, "there is no file"),
    ],
)
@pytest.mark.parametrize("name", ["train.txt", "train.csv"])
def test_paths_that_lead_elsewhere_are_refused_with_their_line(name, bad, message, root):
    between = "," if name.endswith("csv") else "\t"
    for line in (f"{bad}{between}mask/a.png", f"a.png{between}{bad}"):
        with pytest.raises(ValueError, match=f"{name}: line 2: .*{message}") as caught:
            samples(root, f"a.png{between}mask/a.png\n{line}\n", name)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_a_link_to_another_folder_is_followed(root, tmp_path):
    Image.new("L", (3, 2)).save(tmp_path / "far.png")
    (root / "link").symlink_to(tmp_path)
    assert samples(root, "link/far.png mask/a.png") == [["link/far.png", "mask/a.png"]]
    (root / "link").unlink()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.txt", "", "train.txt: the list is empty"),
        ("train.csv", "image,mask\n", "train.csv: the list is empty"),
        ("train.txt", "a.png\n", "line 1: there must be an image and a mask, not 'a.png'"),
        ("train.txt", "b c.png mask/b c.png", "put a tab between paths that have spaces"),
        ("train.csv", "image,mask\na.png\n", "line 2: there must be an image and a mask"),
        ("train.csv", "image,mask\n,mask/a.png\n", "line 2: there must be an image and a mask"),
        ("train.csv", 'a.png,"mask/a.png\n', "line 1: this is no CSV"),
        ("train.txt", b"\xff\xfea\0.\0p\0", "train.txt: this is no UTF-8 text"),
        ("train.txt", b"a.png m\xe4sk.png", "train.txt: this is no UTF-8 text"),
    ],
)
def test_bad_lists_are_named(name, text, message, root):
    with pytest.raises(ValueError, match=message):
        samples(root, text, name)


PIECES = st.sampled_from(
    ["a.png", "mask/a.png", "..", "/", "\\", "../", "secret.png", ",", ";", "\t", " ", '"', "\n"]
    + ["\r\n", "\0", "NaN", "#", "\ufeff", "C:", "b c.png", "image", "mask", "\u2028", "\ud800"[:0]]
)


@pytest.mark.parametrize("name", ["train.txt", "train.csv"])
@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=100)))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_text_gives_files_inside_or_one_sentence(name, root, text):
    data = text.encode("utf-8", "surrogatepass")
    try:
        found = samples(root, data, name)
    except ValueError as error:
        found, message = [], str(error)
        # The message names the list, in one line.
        if name not in message or "\n" in message:
            raise
    assert not any(path.startswith("..") for paths in found for path in paths)


@given(st.text(max_size=60))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_path_stays_in_its_folder_whatever_the_text(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp()
    try:
        path = path_inside(root, text, "list")
    except ValueError:
        return
    assert os.path.commonpath([root, os.path.normpath(path)]) == str(root)


def write_set(folder, **lists):
    for index in range(10):
        for kind, values in (("image", index), ("mask", index % 2)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((2, 3), values, "uint8")).save(folder / kind / f"{index}.png")
    for part, indices in lists.items():
        lines = [f"image/{index}.png mask/{index}.png\n" for index in indices]
        (folder / f"{part}.txt").write_text("".join(lines))
    return folder


def test_a_folder_with_lists_is_a_data_set(tmp_path):
    folder = write_set(tmp_path / "own", train=range(6), val=[6, 7], test=[8])
    dataset = open_dataset("own", tmp_path)
    assert [len(part) for part in dataset.splits.values()] == [6, 2, 1]
    sample = dataset.load(dataset.test[0])
    assert (sample.name, sample.image.max(), sample.mask.max()) == ("8", 8, 0)
    (folder / "test.txt").unlink()
    assert open_dataset("own", folder).test == open_dataset("own", folder).val
    (folder / "val.txt").unlink()
    assert [f.name for f in open_dataset("own", folder).val] == ["5"]


def test_one_sample_cannot_be_split(tmp_path):
    folder = write_set(tmp_path / "own", train=[1])
    with pytest.raises(ValueError, match="image: 1 images are too few, 1 are held out"):
        open_dataset("own", folder)
