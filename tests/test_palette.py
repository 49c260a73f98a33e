import numpy as np
import pytest

from kseg.palette import as_picture, class_palette, colorize, overlay


def test_the_palette_is_that_of_pascal_voc():
    # Published colours of VOC: aeroplane, bicycle, bird, cat, person, tv/monitor, border.
    voc = {1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 8: (64, 0, 0), 15: (192, 128, 128)}
    voc |= {0: (0, 0, 0), 20: (0, 64, 128), 255: (224, 224, 192)}
    assert {label: tuple(class_palette()[label].tolist()) for label in voc} == voc


def test_all_colours_differ():
    assert len(np.unique(class_palette(), axis=0)) == 256


def test_an_overlay_leaves_the_background_and_mixes_the_rest():
    image = np.full((1, 2, 3), 100, "uint8")
    mask = np.array([[0, 1]], "uint8")
    mixed = overlay(image, mask, blend=0.5)
    # (100 + 128) / 2 = 114, (100 + 0) / 2 = 50
    assert mixed.tolist() == [[[100, 100, 100], [114, 50, 50]]]
    np.testing.assert_array_equal(overlay(image, mask, blend=1.0)[0, 1], colorize(mask)[0, 1])


@pytest.mark.parametrize(("channels", "expected"), [(1, [7, 7, 7]), (2, [7, 8, 0]), (3, [7, 8, 9])])
def test_images_of_any_channels_are_shown_as_rgb(channels, expected):
    bands = np.array([7.4, 8.0, 9.0, 99.0])[:channels].astype("float32")
    image = np.tile(bands, (2, 2, 1))
    assert as_picture(image).dtype == np.uint8
    assert as_picture(image)[0, 0].tolist() == expected
    assert as_picture(np.tile(np.uint8([7, 8, 9, 99]), (2, 2, 1)))[0, 0].tolist() == [7, 8, 9]
    assert overlay(image, np.ones((2, 2), int)).shape == (2, 2, 3)
