"""Small images whose brightest channel is their class, and a model that can learn it."""

import keras
import numpy as np

IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
LABELS = IMAGES.argmax(-1)


def small_model():
    return keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
