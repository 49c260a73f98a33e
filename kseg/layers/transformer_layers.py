"""The layers with arithmetic of their own that transformers on feature maps need."""

from __future__ import annotations

import math

import keras
from keras import layers, ops

from kseg.layers.interpolate import resize_bilinear


@keras.saving.register_keras_serializable("kseg")
class Gelu(layers.Layer):
    """The exact GELU, `x` times the normal distribution function of `x`, for any shape.

    Hendrycks, Gimpel, 2016, arXiv 1606.08415. Written with `erf` on TensorFlow, whose own GELU
    has an `Erfc`, which ONNX does not know.
    """

    def call(self, inputs):
        if keras.config.backend() == "tensorflow":
            return 0.5 * inputs * (1.0 + ops.erf(inputs * math.sqrt(0.5)))
        return ops.gelu(inputs, approximate=False)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("kseg")
class MapAttention(layers.Layer):
    """Scaled dot-product attention between feature maps, without weights.

    Takes `[query, key, value]` of shapes `(N, H, W, C)`, `(N, h, w, C)`, `(N, h, w, C)` and
    returns `(N, H, W, C)`; each head has `C / heads` neighbouring channels.

    Args:
        heads: Number of heads, a divisor of C.

    Raises:
        ValueError: The channels cannot be divided among the heads.
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        channels = input_shape[0][-1]
        if channels % self.heads:
            raise ValueError(f"{channels} channels cannot be divided among {self.heads} heads")

    def call(self, inputs):
        dtype = "float32" if _lacks_half(self.compute_dtype) else self.compute_dtype
        x = ops.dot_product_attention(*(ops.cast(self._split(x), dtype) for x in inputs))
        return ops.reshape(ops.cast(x, self.compute_dtype), ops.shape(inputs[0]))

    def _split(self, x):
        """Flatten `(N, H, W, C)` to `(N, H * W, heads, C / heads)`."""
        batch, height, width = ops.shape(x)[:3]
        channels = x.shape[-1]
        return ops.reshape(x, (batch, height * width, self.heads, channels // self.heads))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def macs(self, query, key, value):
        """Return the multiply-adds of scores and weighted sum for one image."""
        return 2 * query[1] * query[2] * key[1] * key[2] * query[3]

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


def _lacks_half(dtype: str) -> bool:
    """Tell whether attention in a type is missing: JAX has none in float16 on a CPU."""
    if dtype != "float16" or keras.backend.backend() != "jax":
        return False
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())


@keras.saving.register_keras_serializable("kseg")
class PositionEmbedding(layers.Layer):
    """Add a learned vector to each place of `(N, H, W, C)`.

    The vectors are learned on a square grid and resized bilinearly to other maps at run time, so
    a model trained at one size works at any (Dosovitskiy et al., 2020, arXiv 2010.11929).

    Args:
        grid: Positive number of rows and columns that are learned.
    """

    def __init__(self, grid: int, **kwargs):
        super().__init__(**kwargs)
        self.grid = grid

    def build(self, input_shape):
        self.embedding = self.add_weight(
            shape=(1, self.grid, self.grid, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="embedding",
        )

    def call(self, inputs):
        embedding = ops.convert_to_tensor(self.embedding)
        if tuple(inputs.shape[1:3]) != (self.grid, self.grid):
            embedding = resize_bilinear(embedding, ops.shape(inputs)[1:3])
        return inputs + ops.cast(embedding, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "grid": self.grid}


@keras.saving.register_keras_serializable("kseg")
class LayerScale(layers.Layer):
    """Multiply each channel by a learned factor that starts small.

    So a deep residual network starts near the identity (Touvron et al., 2021, arXiv 2103.17239).

    Args:
        initial: Value of all factors at the start.
    """

    def __init__(self, initial: float = 1e-2, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial),
            name="factor",
        )

    def call(self, inputs):
        return inputs * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}
