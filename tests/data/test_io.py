import numpy as np
import pytest
from PIL import Image

from kseg.data.io import read_image, read_mask, write_image, write_mask
from kseg.palette import class_palette

LABELS = np.array([[0, 1, 2], [3, 0, 1]], "uint8")


def test_a_palette_mask_gives_its_indices_not_its_colours(tmp_path):
    write_mask(tmp_path / "mask.png", LABELS, class_palette())
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), LABELS)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (LABELS, LABELS),
        (LABELS > 0, (LABELS > 0).astype("uint8")),
        (LABELS.astype("uint16") * 300, LABELS.astype("uint16") * 300),
        (np.repeat(LABELS[..., None], 3, axis=2), LABELS),
    ],
    ids=["8 bit", "1 bit", "16 bit", "grey saved as RGB"],
)
def test_every_kind_of_label_png_keeps_its_values(array, expected, tmp_path):
    Image.fromarray(array).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), expected)


def test_a_colour_mask_is_refused(tmp_path):
    Image.fromarray(class_palette()[LABELS]).save(tmp_path / "mask.png")
    with pytest.raises(ValueError, match="mask.png: this is a colour image, not a label map"):
        read_mask(tmp_path / "mask.png")


def test_a_jpeg_mask_is_refused(tmp_path):
    with pytest.raises(ValueError, match="mask.jpg: JPEG changes label values"):
        read_mask(tmp_path / "mask.jpg")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".gif"])
def test_images_are_rgb_whatever_the_format(suffix, tmp_path):
    red = np.zeros((8, 8, 3), "uint8")
    red[..., 0] = 255
    Image.fromarray(red).save(tmp_path / f"red{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"red{suffix}"), red)


def test_grey_and_transparent_images_become_rgb(tmp_path):
    grey = np.arange(64, dtype="uint8").reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([grey] * 4)).save(tmp_path / "rgba.png")
    for name in ("grey.png", "rgba.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name), np.dstack([grey] * 3))


def test_a_path_with_spaces_and_chinese_letters_is_read(tmp_path):
    path = tmp_path / "图像 一.jpg"
    write_image(path, np.full((8, 8, 3), 100, "uint8"))
    assert np.abs(read_image(path).astype(int) - 100).max() <= 2


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_truncated_image_is_named_and_no_decoder_prints(suffix, tmp_path, capfd):
    path = tmp_path / f"cut{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    write_image(path, noise)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=f"cut{suffix}: .*(truncated|damaged)"):
        read_image(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("reader", [read_image, read_mask])
def test_a_file_that_is_no_image_is_named(reader, tmp_path):
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(ValueError, match="text.png: this is no image file"):
        reader(tmp_path / "text.png")
    with pytest.raises(ValueError, match="missing.png: cannot be read"):
        reader(tmp_path / "missing.png")


def test_colours_that_are_no_rgb_are_refused(tmp_path):
    Image.new("LAB", (8, 6), (200, 100, 150)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"a\.tif: its colours are CIE Lab, no RGB"):
        read_image(tmp_path / "a.tif")
