"""Attention between all places of a feature map."""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("kseg")
class PositionAttention(layers.Layer):
    """Give each place the mean of all values, weighted by how well the place fits them.

    Takes `[query, key, value]` of shapes `(N, H, W, K)`, `(N, H, W, K)` and `(N, H, W, C)` and
    returns `(N, H, W, C)`: `softmax(query . key)` over all places times the values, without
    scaling (Fu et al., Dual Attention Network, 2018, arXiv 1809.02983).
    """

    def call(self, inputs):
        query, key, value = (_flatten(x) for x in inputs)
        # Half precision cannot tell close scores apart, and float16 ends at 65504.
        query, key = (ops.cast(x, "float32") for x in (query, key))
        weights = ops.softmax(ops.einsum("nik,njk->nij", query, key), axis=-1)
        x = ops.einsum("nij,njc->nic", ops.cast(weights, value.dtype), value)
        return ops.reshape(x, ops.shape(inputs[2]))

    def compute_output_shape(self, input_shape):
        return input_shape[2]

    def macs(self, query, key, value) -> int:
        """Return the multiply-adds of scores and weighted mean for one image."""
        return (query[1] * query[2]) ** 2 * (query[3] + value[3])


def _flatten(x):
    batch, height, width = ops.shape(x)[:3]
    return ops.reshape(x, (batch, height * width, x.shape[-1]))
