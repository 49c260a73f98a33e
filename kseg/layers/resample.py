"""Changes of spatial size: upsampling, padding to a stride, cropping back."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers, ops

from kseg.layers.conv import conv_bn_relu


def up_conv(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Double height and width (nearest), then apply a 3x3 conv-BN-ReLU."""
    x = layers.UpSampling2D(2, name=f"{name}_up")(x)
    return conv_bn_relu(x, filters, name=name)


def pad_to_multiple(x: KerasTensor, multiple: int, *, name: str) -> KerasTensor:
    """Pad bottom and right with zeros; returns `x` itself where its static size fits."""
    height, width = x.shape[1:3]
    if _fits(height, multiple) and _fits(width, multiple):
        return x
    return PadToMultiple(multiple, name=name)(x)


def crop_like(x: KerasTensor, reference: KerasTensor, *, name: str) -> KerasTensor:
    """Crop bottom and right to the size of `reference`; returns `x` where both are equal.

    The type of `x` stays, also under mixed precision.
    """
    if None not in x.shape[1:3] and x.shape[1:3] == reference.shape[1:3]:
        return x
    return CropLike(dtype=x.dtype, name=name)([x, reference])


def pad_channels(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Append zero channels until there are `filters`; returns `x` where it has them already."""
    return x if x.shape[-1] == filters else PadChannels(filters, name=name)(x)


def _fits(length: int | None, multiple: int) -> bool:
    return length is not None and length % multiple == 0


@keras.saving.register_keras_serializable("kseg")
class PadToMultiple(layers.Layer):
    """Pad `(N, H, W, C)` with zeros at the bottom and right to multiples of `multiple`.

    Zeros are what "same" convolutions see beyond the border anyway. Height and width may be
    unknown until run time.

    Args:
        multiple: Positive integer that height and width are rounded up to.
    """

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, inputs):
        height, width = ops.shape(inputs)[1:3]
        bottom, right = -height % self.multiple, -width % self.multiple
        return ops.pad(inputs, [[0, 0], [0, bottom], [0, right], [0, 0]])

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, self._round_up(height), self._round_up(width), channels

    def _round_up(self, length: int | None) -> int | None:
        return None if length is None else length + -length % self.multiple

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable("kseg")
class CropLike(layers.Layer):
    """Crop the first of two tensors `(N, H, W, C)` to the height and width of the second.

    The top left corner stays, so that it undoes `PadToMultiple`.
    """

    def call(self, inputs):
        x, reference = inputs
        height, width = ops.shape(reference)[1:3]
        return x[:, :height, :width, :]

    def compute_output_shape(self, input_shape):
        x, reference = input_shape
        return x[0], reference[1], reference[2], x[3]


@keras.saving.register_keras_serializable("kseg")
class PadChannels(layers.Layer):
    """Append zero channels to `(N, H, W, C)` until it is `(N, H, W, filters)`."""

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def call(self, inputs):
        missing = self.filters - inputs.shape[-1]
        return ops.pad(inputs, [[0, 0], [0, 0], [0, 0], [0, missing]])

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], self.filters

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
