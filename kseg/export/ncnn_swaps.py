"""Layers in forms that ncnn has; see `kseg.export.swaps`."""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers, ops

from kseg.export.swaps import SignedMaxPool, Swap
from kseg.layers.unpool import MaxPoolWithIndices

# Times this, what two floats differ by is at least 1.
VERY_MANY = 1e38


def full_transposed_conv(layer: layers.Layer) -> layers.Layer | None:
    """Compute all of a "same" transposed convolution and crop: ncnn crops both sides alike."""
    if type(layer) is not layers.Conv2DTranspose or layer.padding != "same":
        return None
    if layer.output_padding is not None or set(layer.dilation_rate) != {1}:
        return None
    overhangs = [k - s for k, s in zip(layer.kernel_size, layer.strides, strict=True)]
    uneven = min(overhangs) >= 0 and any(overhang % 2 for overhang in overhangs)
    return CroppedTransposedConv(layer, name=layer.name) if uneven else None


def arithmetic_pooling(layer: layers.Layer) -> layers.Layer | None:
    """Find maxima without comparisons."""
    return ArithmeticMaxPool(name=layer.name) if type(layer) is MaxPoolWithIndices else None


NCNN_SWAPS: Sequence[Swap] = (full_transposed_conv, arithmetic_pooling)


class CroppedTransposedConv(layers.Layer):
    """A "same" transposed convolution as a "valid" one, of which the borders are cut off.

    Args:
        layer: The convolution; its weights are used.
    """

    def __init__(self, layer: layers.Conv2DTranspose, **options):
        super().__init__(**options)
        self.layer = layer

    def call(self, inputs):
        """Return the result `(N, H * strides, W * strides, filters)`."""
        layer = self.layer
        x = ops.conv_transpose(inputs, layer.kernel, layer.strides, padding="valid")
        if layer.use_bias:
            x = x + layer.bias
        rows, columns = (
            self._kept(length, kernel, stride)
            for length, kernel, stride in zip(
                inputs.shape[1:3], layer.kernel_size, layer.strides, strict=True
            )
        )
        return layer.activation(x[:, rows, columns])

    @staticmethod
    def _kept(length: int, kernel: int, stride: int) -> slice:
        first = (kernel - stride) // 2
        return slice(first, first + length * stride)

    def compute_output_shape(self, input_shape):
        """Return the shape of the result."""
        return self.layer.compute_output_shape(input_shape)


def is_more(a, b):
    """Return 1 where `a > b`, else 0, as floats."""
    return ops.minimum(ops.relu(a - b) * VERY_MANY, 1.0)


class ArithmeticMaxPool(SignedMaxPool):
    """`SignedMaxPool` for ncnn, which has no sign."""

    is_more = staticmethod(is_more)


class PlaneOfLabels(layers.Layer):
    """The best class of each pixel as float32 `(N, H, W, 1)`, by arithmetic alone.

    ncnn has no integers, and its search for the largest value looks at whole maps.
    """

    def call(self, inputs):
        """Return the labels of probabilities `(N, H, W, C)`; of equal ones the lower class."""
        best, *others = (inputs[..., index : index + 1] for index in range(inputs.shape[-1]))
        if not others:
            return is_more(best, 0.5)
        label = ops.zeros_like(best)
        for index, plane in enumerate(others, start=1):
            label = label + is_more(plane, best) * (float(index) - label)
            best = ops.maximum(best, plane)
        return label

    def compute_output_shape(self, input_shape):
        """Return the shape of the result."""
        return (*input_shape[:-1], 1)
