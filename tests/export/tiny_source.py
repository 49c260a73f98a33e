"""A small model with random weights, as the export commands load it."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from kseg.export.source import Source, as_source
from kseg.inference.model_file import ModelInfo
from kseg.models import get_model
from tests.tiny import tiny_options

CLASSES = ("background", "road", "car")
SIZE = (32, 48)


def tiny_source(name, size, *, folder="weights", classes=CLASSES, resize_op=1, **options) -> Source:
    """Return a source of `size` or (height, width); `options` are added to those of tests/tiny."""
    height, width = (size, size) if isinstance(size, int) else size
    keras.utils.set_random_seed(0)
    options = {**tiny_options(name), **options}
    model = get_model(name, len(classes), image_init="divide", **options)
    vary_statistics(model)
    info = ModelInfo(name, classes, None, height, width, resize_op, "divide")
    return as_source(model, info, Path(folder) / f"{model.name}.keras")


def vary_statistics(model):
    """Give batch normalisations something to do; new ones change next to nothing."""
    rng = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            for weight in layer.weights:
                low, high = {"gamma": (0.7, 1.3), "moving_variance": (0.5, 1.5)}.get(
                    weight.name, (-0.2, 0.2)
                )
                weight.assign(rng.uniform(low, high, weight.shape))
