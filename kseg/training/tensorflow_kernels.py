"""Layers that train by TensorFlow's own kernels, which take a CPU through memory less often."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from keras import layers, ops

_MAPS = 4


def use_own_kernels(model: keras.Model, jit: bool | str) -> None:
    """Let batch normalisation and nearest upsampling run by a kernel each.

    Keras composes the first of a dozen operations and the second of several copies, and each of
    them goes through all of a map. Nothing is done on other backends, or with XLA, which makes one
    operation of many by itself. Results are the same up to rounding, and neither weights nor files
    change: what is saved are Keras' own layers.

    Args:
        model: Its layers for maps `(N, H, W, C)` in float32 are changed in place.
        jit: What the model is compiled with.
    """
    if keras.backend.backend() != "tensorflow" or jit is not False:
        return
    for layer in model._flatten_layers():
        if layer.compute_dtype != "float32":
            continue
        if type(layer) is layers.BatchNormalization and _is_plain(layer):
            layer.call = partial(_normalise, layer)
        if type(layer) is layers.UpSampling2D and _is_nearest(layer):
            layer.call = partial(_enlarge, layer)


def _is_plain(layer: layers.BatchNormalization) -> bool:
    plain = not (layer.renorm or layer.synchronized) and layer.scale and layer.center
    last = layer.axis in (-1, _MAPS - 1)
    return plain and last and layer.input_spec is not None and layer.input_spec.ndim == _MAPS


def _is_nearest(layer: layers.UpSampling2D) -> bool:
    return layer.interpolation == "nearest" and layer.data_format == "channels_last"


def _normalise(
    layer: layers.BatchNormalization, inputs: Any, training: Any = None, mask: Any = None
) -> Any:
    if training is not True or not layer.trainable or mask is not None:
        return layers.BatchNormalization.call(layer, inputs, training=training, mask=mask)
    import tensorflow as tf

    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=layer.gamma,
        offset=layer.beta,
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
    # The kernel gives the estimate for the population; Keras keeps that of the sample.
    variance *= ops.maximum(count - 1, 1) / count
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving * layer.momentum + new * (1 - layer.momentum))
    return outputs


def _enlarge(layer: layers.UpSampling2D, inputs: Any) -> Any:
    import tensorflow as tf

    sizes = ops.shape(inputs)[1:3]
    size = [length * factor for length, factor in zip(sizes, layer.size, strict=True)]
    # Without half-pixel centres positions are rounded down: each value becomes a block.
    return tf.raw_ops.ResizeNearestNeighbor(images=inputs, size=size)
