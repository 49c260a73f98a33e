"""Models of a pixel, and a photograph, for the page to try models."""

import keras
import numpy as np
import pytest
import skimage.data
from PIL import Image

from kseg.inference.model_file import ModelInfo, save_model

NAMES = ("dark", "bright", "no <pixel>")
SIZE = 512


def pixel_model(path, names=NAMES):
    """Write a model that finds pixels whose mean is above 127.5, and never the third class."""
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(len(names), 1)
    model = keras.Model(inputs, layer(inputs))
    kernel, bias = np.zeros((1, 1, 3, len(names))), np.zeros(len(names))
    kernel[..., 1], bias[1], bias[2:] = 1 / 8, -382.5 / 8, -1000
    layer.set_weights([kernel, bias])
    save_model(model, path, ModelInfo("unet", names, None, SIZE, SIZE, 1, "divide"))
    return path


def photo():
    """A photograph of 512x512 pixels that comes with scikit-image."""
    return skimage.data.astronaut()


def expected(image):
    return (image.sum(-1, dtype=int) > 382).astype(np.uint8)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [str(pixel_model(folder / f"{name}.keras")) for name in ("first", "second")]


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "photo.png"
    Image.fromarray(photo()).save(path)
    return path
