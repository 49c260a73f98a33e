"""Non-negative matrix factorisation as a layer: global context without attention."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

_EPSILON = 1e-6
_INFERENCE_SEED = 0


@keras.saving.register_keras_serializable("kseg")
class NonNegativeFactorization(layers.Layer):
    """Replace the non-negative features `(N, H, W, C)` of each image by their low-rank part.

    The map, as a matrix `(H * W, C)`, is approximated by a product of codes `(H * W, rank)` and
    bases `(C, rank)`, found by multiplicative updates. From Hamburger: Geng, Guo, Chen, Li, Wei,
    Lin, 2021, arXiv 2109.04553. As there,

    * the bases start at random values. In training they are drawn anew for each image; at
      inference they are always the same (drawn once with NumPy from a fixed seed), so that a
      prediction depends neither on chance nor on the backend nor on the rest of the batch;
    * the gradient flows through one last update of the codes only, since through all updates it
      vanishes or explodes.

    Computes in float32 also under mixed precision, whose short mantissa the repeated divisions
    do not stand.

    Args:
        rank: Number of bases.
        steps: Updates of codes and bases in training.
        inference_steps: Updates at inference.
    """

    def __init__(self, rank: int = 64, steps: int = 6, inference_steps: int = 7, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.rank = rank
        self.steps = steps
        self.inference_steps = inference_steps
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        batch, height, width = ops.shape(inputs)[:3]
        x = ops.reshape(inputs, (batch, height * width, inputs.shape[-1]))
        bases, codes = self._factorize(ops.stop_gradient(x), training)
        codes = _updated(ops.stop_gradient(codes), x, ops.stop_gradient(bases))
        return ops.reshape(ops.matmul(codes, _transposed(bases)), ops.shape(inputs))

    def _factorize(self, x, training):
        bases = self._initial_bases(x, training)
        codes = ops.softmax(ops.matmul(x, bases))
        for _ in range(self.steps if training else self.inference_steps):
            codes = _updated(codes, x, bases)
            bases = _updated(bases, _transposed(x), codes)
        return bases, codes

    def _initial_bases(self, x, training):
        """Return bases of length 1, `(N or 1, C, rank)`."""
        channels = x.shape[-1]
        if training:
            shape = (ops.shape(x)[0], channels, self.rank)
            bases = keras.random.uniform(shape, dtype=x.dtype, seed=self.seed_generator)
        else:
            rng = np.random.default_rng(_INFERENCE_SEED)
            bases = ops.convert_to_tensor(rng.random((1, channels, self.rank)), dtype=x.dtype)
        return bases / (ops.norm(bases, axis=1, keepdims=True) + _EPSILON)

    def compute_output_shape(self, input_shape):
        return input_shape

    def macs(self, inputs):
        """Return the multiply-adds for one image at inference."""
        places, channels, rank = inputs[1] * inputs[2], inputs[3], self.rank
        codes = rank * (places * channels + rank * channels + places * rank)
        bases = rank * (places * channels + rank * places + channels * rank)
        start = end = places * channels * rank
        return start + self.inference_steps * (codes + bases) + codes + end

    def get_config(self):
        sizes = {"rank": self.rank, "steps": self.steps, "inference_steps": self.inference_steps}
        return {**super().get_config(), **sizes}


def _updated(codes, x, bases):
    """Return better `codes` for `x = codes @ bases^T` (Lee and Seung's multiplicative update)."""
    gram = ops.matmul(_transposed(bases), bases)
    return codes * ops.matmul(x, bases) / (ops.matmul(codes, gram) + _EPSILON)


def _transposed(matrix):
    return ops.transpose(matrix, (0, 2, 1))
