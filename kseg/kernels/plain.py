"""What convolutions share that are computed in another way than Keras does."""

from __future__ import annotations

from typing import Any

from keras import layers


def is_plain(layer: layers.Layer) -> bool:
    """Tell whether a layer is a convolution without groups or strides that keeps the size."""
    return (
        type(layer) is layers.Conv2D
        and layer.strides == (1, 1)
        and (layer.groups, layer.padding, layer.data_format) == (1, "same", "channels_last")
    )


def finished(layer: layers.Conv2D, outputs: Any) -> Any:
    """Return the sums of a convolution with the layer's bias and activation."""
    import tensorflow as tf

    if layer.use_bias:
        outputs = tf.nn.bias_add(outputs, layer.bias)
    return layer.activation(outputs)
