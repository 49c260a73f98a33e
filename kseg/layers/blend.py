"""Mixing of two maps, place by place."""

from __future__ import annotations

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("kseg")
class Blend(layers.Layer):
    """Mix two maps by a gate: `gate * first + (1 - gate) * second`.

    Takes `[first, second, gate]`: two maps `(N, H, W, C)` and weights of 0..1, `(N, H, W, 1)` or
    `(N, H, W, C)`; returns `(N, H, W, C)`.
    """

    def call(self, inputs):
        first, second, gate = inputs
        return gate * first + (1 - gate) * second

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable("kseg")
class ChannelDot(layers.Layer):
    """Compare two maps `(N, H, W, C)` at each place: their scalar product, `(N, H, W, 1)`."""

    def call(self, inputs):
        first, second = inputs
        return ops.sum(first * second, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return *input_shape[0][:-1], 1

    def macs(self, first, second) -> int:
        """Return the multiply-adds for one image."""
        return math.prod(first[1:])
