"""Batch normalisation in training by one kernel."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

_MAPS = 4


def can_normalise(layer: layers.Layer) -> bool:
    """Tell whether `normalise` can stand for the layer: batch normalisation of maps."""
    if type(layer) is not layers.BatchNormalization:
        return False
    plain = not (layer.renorm or layer.synchronized) and layer.scale and layer.center
    last = layer.axis in (-1, _MAPS - 1)
    return plain and last and layer.input_spec is not None and layer.input_spec.ndim == _MAPS


def normalise(
    layer: layers.BatchNormalization, inputs: Any, training: Any = None, mask: Any = None
) -> Any:
    """Return what the layer does, and update its statistics."""
    if training is not True or not layer.trainable or mask is not None:
        return layers.BatchNormalization.call(layer, inputs, training=training, mask=mask)
    import tensorflow as tf

    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=ops.cast(layer.gamma, "float32"),
        offset=ops.cast(layer.beta, "float32"),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
    # The kernel gives the estimate for the population; Keras keeps that of the sample.
    variance *= ops.maximum(count - 1, 1) / count
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        # Variables of 16 bits are averaged in 32 too.
        old = ops.cast(moving, "float32")
        moving.assign(old * layer.momentum + new * (1 - layer.momentum))
    return outputs
