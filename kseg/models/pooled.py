"""Which parts of a model cannot be trained with one image at a time."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from kseg.models.graph import follow


def pooled_normalisation(model: keras.Model, size: tuple[int, int] | None = None) -> list[str]:
    """Return the batch normalisations that see a single place of each image.

    Such are those of globally pooled features. With one image in a batch a channel has one value
    there and the variance 0, so training runs on zeros and inference calculates something else.
    Frozen layers use their moving statistics and are not among them.

    Args:
        model: Functional model, as `get_model` returns it.
        size: Height and width of the images in training, of which small ones have maps of one
            place too; None for the model's own size. One that is open counts as large.

    Returns:
        Names of layers; none where one image is enough.
    """
    found: dict[str, None] = {}

    def seen(layer: Any, inputs: Any, output: Any) -> None:
        if not isinstance(layer, layers.BatchNormalization) or not layer.trainable:
            return
        if all(length == 1 for length in inputs.shape[1:-1]):
            found[layer.name] = None

    follow(model, size or model.input_shape[1:3], seen)
    return list(found)
