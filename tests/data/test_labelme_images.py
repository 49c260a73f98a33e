import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kseg.data.labelme import open_labelme
from tests.data.labelme_files import (
    SIZE,
    document,
    one_sentence_about,
    picture,
    png_text,
    shape,
    write_json,
    write_pair,
)


def one(tmp_path, *shapes, **more):
    """Open a folder with one file as all parts and load its sample."""
    for part in ("train", "val"):
        write_pair(tmp_path / part, f"{part}", *shapes, **{"imagePath": f"{part}.png", **more})
    dataset = open_labelme("own", tmp_path)
    return dataset.load(dataset.train[0])


def test_an_embedded_image_is_read_as_labelme_shows_it(tmp_path):
    sample = one(tmp_path, shape(), imageData=png_text(picture(seed=5)), imagePath="gone.jpg")
    assert (sample.image == picture(seed=5)).all()
    assert (sample.name, sample.labels.max()) == ("train", 1)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full(SIZE, 257, np.uint16), 1.0),
        (np.full(SIZE, 65535, np.uint16), 255.0),
        (np.full(SIZE, 7, np.uint8), 7),
        (np.full((*SIZE, 4), 7, np.uint8), 7),
    ],
)
def test_embedded_images_of_other_depths_become_rgb_of_0_to_255(array, expected, tmp_path):
    sample = one(tmp_path, imageData=png_text(array))
    assert sample.image.shape == (*SIZE, 3)
    assert (sample.image == expected).all()


def test_backslashes_separate_folders(tmp_path):
    for part in ("train", "val"):
        write_json(tmp_path / part, part, document(shape(), imagePath=f"sub\\{part}.png"))
        (tmp_path / part / "sub").mkdir()
        Image.fromarray(picture()).save(tmp_path / part / "sub" / f"{part}.png")
    dataset = open_labelme("own", tmp_path)
    assert dataset.train[0].image == tmp_path / "train" / "sub" / "train.png"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_images_are_turned_upright_by_their_exif_orientation(suffix, orientation, tmp_path):
    # Red on the left, as stored.
    stored = np.zeros((*SIZE, 3), np.uint8)
    stored[:, :20, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {1: "left", 3: "right", 5: "top", 6: "top", 8: "bottom"}[orientation]
    height, width = SIZE if turned in ("left", "right") else SIZE[::-1]
    half = {
        "left": [[0, 0], [width // 2 - 1, height]],
        "right": [[width // 2, 0], [width, height]],
        "top": [[0, 0], [width, height // 2 - 1]],
        "bottom": [[0, height // 2], [width, height]],
    }[turned]
    for part in ("train", "val"):
        raw = document(shape("red", "rectangle", half), imageHeight=height, imageWidth=width)
        write_json(tmp_path / part, part, {**raw, "imagePath": f"{part}{suffix}"})
        Image.fromarray(stored).save(tmp_path / part / f"{part}{suffix}", exif=exif)
    dataset = open_labelme("own", tmp_path)
    sample = dataset.load(dataset.train[0])
    assert (sample.labels == (sample.image[..., 0] > 127)).all()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../secret.png", "imagePath: the path '../secret.png' leaves the folder .*in; "),
        ("..\\secret.png", "the path .* leaves the folder"),
        ("sub/../../secret.png", "the path .* leaves the folder"),
        ("/etc/passwd", "the path .* leaves the folder"),
        ("C:\\data\\a.png", "the path .* leaves the folder"),
        ("C:a.png", "the path .* leaves the folder"),
        ("\\\\host\\share\\a.png", "the path .* leaves the folder"),
        ("a\0.png", "is no path of a file"),
        (".", "is no path of a file"),
        ("missing.png", "there is no file .*missing.png"),
        ("x" * 5000, "there is no file"),
        ("a.json", "no image"),
    ],
)
def test_a_hostile_or_wrong_image_path_is_refused(path, message, tmp_path):
    Image.fromarray(picture()).save(tmp_path / "secret.png")
    for stem in "abc":
        write_pair(tmp_path / "in", stem, shape(), **({"imagePath": path} if stem == "a" else {}))
    with pytest.raises(ValueError, match=rf"a\.json: .*{message}"):
        open_labelme("own", tmp_path / "in")


def test_images_elsewhere_are_found_by_name(tmp_path):
    (tmp_path / "pictures").mkdir()
    for stem in "abc":
        write_json(tmp_path / "in", stem, document(shape(), imagePath=f"..\\pictures\\{stem}.png"))
        Image.fromarray(picture()).save(tmp_path / "pictures" / f"{stem}.png")
    dataset = open_labelme("own", tmp_path / "in", images=tmp_path / "pictures")
    assert dataset.train[0].image.parent == tmp_path / "pictures"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"imageHeight": 40, "imageWidth": 30},
            "imageWidth x imageHeight is 30x40 but .* is 40x30",
        ),
        ({"imageData": png_text(picture((9, 9)))}, "is 40x30 but the image .*imageData is 9x9"),
        ({"imageData": png_text(picture())[:-5]}, "imageData is no complete base64 text"),
        ({"imageData": "aGVsbG8="}, "imageData is no BMP/.* image"),
        ({"imageHeight": 2**40, "imageWidth": 2**40}, "but .* is 40x30"),
        ({"shapes": [shape(points=[[1, 1], [9999, 1], [1, 9]])]}, r"shapes\[0\].* is far outside"),
    ],
)
def test_what_does_not_fit_the_image_is_named(more, message, tmp_path):
    for stem in "abc":
        write_pair(tmp_path, stem, **{"imagePath": f"{stem}.png", **(more if stem == "b" else {})})
    with pytest.raises(ValueError, match=rf"b\.json: .*{message}"):
        open_labelme("own", tmp_path)


def test_a_truncated_embedded_image_is_named_when_it_is_read(tmp_path):
    whole = base64.b64decode(png_text(picture()))
    with pytest.raises(ValueError, match=r"train\.json: imageData is damaged"):
        one(tmp_path, imageData=base64.b64encode(whole[:-2000]).decode())


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(
        ValueError, match=r"train\.json: imageData: the image has more than 200 pixels"
    ):
        one(tmp_path, imageData=png_text(picture()))
    with pytest.raises(ValueError, match=r"train\.png: the image has more than 200 pixels"):
        one(tmp_path)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 200), st.booleans())
def test_an_embedded_image_of_arbitrary_bytes_raises_only_a_value_error(
    tmp_path_factory, junk, at, keep_size
):
    folder = tmp_path_factory.mktemp("junk")
    data = base64.b64decode(png_text(picture()))
    bad = data[:at] + junk + data[at + (len(junk) if keep_size else 0) :]
    with one_sentence_about(folder):
        one(folder, imageData=base64.b64encode(bad).decode())
