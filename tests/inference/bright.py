"""A model with a known answer, as an engine and as a checkpoint, and images for it."""

import dataclasses

import keras
import numpy as np
from PIL import Image

from kseg.inference import ModelInfo, Predictor, save_model

INFO = ModelInfo("unet", ("background", "bright"), None, 32, 48, 1, "divide")


class Bright:
    """Class 1 where a pixel is bright; with more classes, the level of grey chooses the class."""

    size = batch_size = None

    def __init__(self, *, channels=3, **changes):
        self.info = dataclasses.replace(INFO, **changes)
        self.channels = channels
        self.shapes = []

    def probabilities(self, batch):
        self.shapes.append(batch.shape)
        classes = len(self.info.class_names)
        place = batch.astype("float32").mean(-1, keepdims=True) / 255 * (classes - 1)
        return np.clip(1 - np.abs(place - np.arange(classes, dtype="float32")), 0, 1)

    def labels(self, batch):
        return self.probabilities(batch).argmax(-1).astype("uint8")


def bright_predictor(fit="pad", **changes):
    return Predictor(Bright(**changes), fit=fit)


def save_bright(path, **changes):
    """Write a `.keras` file of such a model with two classes: a 1x1 convolution."""
    layer = keras.layers.Conv2D(2, 1)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layer(inputs))
    kernel = np.stack([-np.ones((1, 1, 3)), np.ones((1, 1, 3))], -1) / 30
    layer.set_weights([kernel, np.array([12.75, -12.75])])
    save_model(model, path, dataclasses.replace(INFO, **changes))
    return path


def half_bright(height, width, channels=3):
    """An image that is bright in its right half."""
    image = np.zeros((height, width, channels), "uint8")
    image[:, width // 2 :] = 255
    return image


def save_picture(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(image).save(path)
    return path
