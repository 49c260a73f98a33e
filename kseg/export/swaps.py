"""Layers in the place of those that a converter reads badly, with the same answer.

A swap is a function from a layer to the one that takes its place, or None where it stays. Swaps
for one format only are beside its converter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from kseg.layers.pooling import AdaptiveAveragePool
from kseg.layers.resample import CropLike, PadToMultiple
from kseg.layers.unpool import MaxPoolWithIndices, MaxUnpool

Swap = Callable[[layers.Layer], layers.Layer | None]


def nearest_upsampling(layer: layers.Layer) -> layers.Layer | None:
    """Resize in one step: Keras repeats rows and columns, which takes reshapes and transposes."""
    if type(layer) is layers.UpSampling2D and layer.interpolation == "nearest":
        return NearestUpsample(layer.size, name=layer.name)
    return None


def static_pooling(layer: layers.Layer) -> layers.Layer | None:
    """Average slices where the size is known, instead of multiplying by matrices."""
    if isinstance(layer, AdaptiveAveragePool):
        return SlicedAveragePool(layer.bins, name=layer.name)
    return None


def plain_padding(layer: layers.Layer) -> layers.Layer | None:
    """Pad without a reshape, which transposes would gather around."""
    if type(layer) is not PadToMultiple:
        return None
    return PlainPad(layer.multiple, layer.mode, name=layer.name)


def needed_cropping(layer: layers.Layer) -> layers.Layer | None:
    """Crop where the sizes differ only."""
    return NeededCrop(name=layer.name) if type(layer) is CropLike else None


def resized_unpooling(layer: layers.Layer) -> layers.Layer | None:
    """Put values back by resizing and a mask: stacking and reshaping takes transposes."""
    return ResizedUnpool(name=layer.name) if type(layer) is MaxUnpool else None


def signed_pooling(layer: layers.Layer) -> layers.Layer | None:
    """Find where maxima are by arithmetic alone, which transposes can be moved through."""
    return SignedMaxPool(name=layer.name) if type(layer) is MaxPoolWithIndices else None


SWAPS: Sequence[Swap] = (
    nearest_upsampling,
    static_pooling,
    plain_padding,
    needed_cropping,
    signed_pooling,
    resized_unpooling,
)


class NearestUpsample(layers.Layer):
    """Enlarge `(N, H, W, C)` by whole factors, each value becoming a block.

    Args:
        factors: Factors of height and width.
    """

    def __init__(self, factors: tuple[int, int], **options):
        super().__init__(**options)
        self.factors = factors

    def call(self, inputs):
        """Return the enlarged map."""
        import tensorflow as tf

        size = [n * factor for n, factor in zip(ops.shape(inputs)[1:3], self.factors, strict=True)]
        # Without half-pixel centres positions are rounded down, which all runtimes do alike.
        return tf.raw_ops.ResizeNearestNeighbor(images=inputs, size=size)

    def compute_output_shape(self, input_shape):
        """Return the shape of the result."""
        batch, *size, channels = input_shape
        larger = (
            None if n is None else n * factor for n, factor in zip(size, self.factors, strict=True)
        )
        return batch, *larger, channels


class PlainPad(PadToMultiple):
    """`PadToMultiple` in one operation, and in none where the size fits."""

    def call(self, inputs):
        """Return the padded map."""
        import tensorflow as tf

        known = None not in inputs.shape[1:3]
        height, width = ops.shape(inputs)[1:3]
        bottom, right = self.missing(height), self.missing(width)
        if known and bottom == right == 0:
            return inputs
        mirrors = self.mode == "reflect"
        if mirrors and not (known and bottom < height and right < width):
            return super().call(inputs)
        borders = [[0, 0], [0, bottom], [0, right], [0, 0]]
        padded = tf.pad(inputs, borders, "REFLECT" if mirrors else "CONSTANT")
        # TensorFlow forgets the channels where sizes are symbolic.
        padded.set_shape(self.compute_output_shape(inputs.shape))
        return padded


class NeededCrop(CropLike):
    """`CropLike` that leaves maps alone which have the size already."""

    def call(self, inputs):
        """Return the cropped map."""
        x, reference = inputs
        known = None not in x.shape[1:3]
        return x if known and x.shape[1:3] == reference.shape[1:3] else super().call(inputs)


class SignedMaxPool(MaxPoolWithIndices):
    """`MaxPoolWithIndices` without comparisons, whose indices are floats."""

    def call(self, inputs):
        """Return `(pooled, indices)`."""
        corners = [inputs[:, row::2, column::2, :] for row in (0, 1) for column in (0, 1)]
        pooled = ops.maximum(corners[0], corners[1])
        indices = self.is_more(corners[1], corners[0])
        for position, corner in enumerate(corners[2:], start=2):
            indices = indices + self.is_more(corner, pooled) * (float(position) - indices)
            pooled = ops.maximum(pooled, corner)
        return pooled, indices

    @staticmethod
    def is_more(a, b):
        """Return 1 where `a > b`, else 0, as floats."""
        return ops.relu(ops.sign(a - b))

    def compute_output_spec(self, inputs):
        """Return shapes and types of the results."""
        pooled, indices = super().compute_output_spec(inputs)
        return pooled, keras.KerasTensor(indices.shape, pooled.dtype)


class ResizedUnpool(MaxUnpool):
    """`MaxUnpool` by arithmetic alone, for whole numbers as integers or as floats."""

    def call(self, inputs):
        """Return `(N, 2H, 2W, C)`."""
        enlarge = NearestUpsample((2, 2))
        values, indices = inputs
        values, indices = enlarge.call(values), enlarge.call(ops.cast(indices, values.dtype))
        elsewhere = ops.minimum(ops.abs(indices - self._places(values)), 1.0)
        return values * (1.0 - elsewhere)

    @staticmethod
    def _places(values):
        """Return which corner of its window each place is, `(1, 2H, 2W, 1)`."""
        if None not in values.shape[1:3]:
            windows = [length // 2 for length in values.shape[1:3]]
            return np.tile(np.float32([[0, 1], [2, 3]]), windows)[None, ..., None]
        rows, columns = (ops.arange(length) % 2 for length in ops.shape(values)[1:3])
        return ops.cast(rows[None, :, None, None] * 2 + columns[None, None, :, None], values.dtype)


class SlicedAveragePool(AdaptiveAveragePool):
    """`AdaptiveAveragePool` by what every runtime has: pooling, slices and means."""

    def call(self, inputs):
        """Return the means `(N, bins, bins, C)`."""
        size = inputs.shape[1:3]
        if None in size:
            return super().call(inputs)
        if self.bins == 1:
            return ops.mean(inputs, axis=(1, 2), keepdims=True)
        if all(length % self.bins == 0 for length in size):
            window = tuple(length // self.bins for length in size)
            return ops.average_pool(inputs, window, window)
        rows = [
            ops.mean(inputs[:, first:last], axis=1, keepdims=True)
            for first, last in bin_edges(size[0], self.bins)
        ]
        x = ops.concatenate(rows, axis=1)
        columns = [
            ops.mean(x[:, :, first:last], axis=2, keepdims=True)
            for first, last in bin_edges(size[1], self.bins)
        ]
        return ops.concatenate(columns, axis=2)


def bin_edges(length: int, bins: int) -> list[tuple[int, int]]:
    """Return where each bin of `AdaptiveAveragePool` begins and ends."""
    return [
        (index * length // bins, ((index + 1) * length + bins - 1) // bins) for index in range(bins)
    ]


def swapped(
    model: keras.Model, shape: Sequence[int | None], swaps: Sequence[Swap] = SWAPS
) -> keras.Model:
    """Return a model for images of another shape, with some of its layers replaced.

    All other layers, and so the weights, are the model's own.

    Args:
        model: One input and one output.
        shape: `(N, H, W, C)`, where sizes may be known that are open in the model.
        swaps: What to replace; the first that has something counts.
    """
    chosen: dict[int, layers.Layer] = {}

    def replacement(layer: layers.Layer) -> layers.Layer:
        if id(layer) not in chosen:
            found = (new for swap in swaps if (new := swap(layer)) is not None)
            chosen[id(layer)] = next(found, layer)
        return chosen[id(layer)]

    image = keras.Input(batch_shape=shape, name=model.inputs[0].name)
    return keras.models.clone_model(model, image, clone_function=replacement)
