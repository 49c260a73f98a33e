"""Changes of spatial size: upsampling, padding to a stride, cropping back."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers, ops

from kseg.layers.conv import conv_bn_relu
from kseg.layers.interpolate import resize_bilinear

PAD_MODES = ("zeros", "reflect")


def up_conv(
    x: KerasTensor, filters: int, kernel_size: int = 3, *, name: str, unit=conv_bn_relu, **options
) -> KerasTensor:
    """Double height and width (nearest), then apply a unit, a 3x3 conv-BN-ReLU by default."""
    x = layers.UpSampling2D(2, name=f"{name}_up")(x)
    return unit(x, filters, kernel_size, name=name, **options)


def upsample(
    x: KerasTensor, factor: int, *, name: str, interpolation: str = "bilinear"
) -> KerasTensor:
    """Enlarge by a whole factor, "bilinear" (half-pixel centres) or "nearest".

    The type stays; for a factor of 1 it is `x` itself.
    """
    if factor == 1:
        return x
    if interpolation == "nearest":
        return layers.UpSampling2D(factor, dtype=x.dtype, name=name)(x)
    return BilinearUpsample(factor, dtype=x.dtype, name=name)(x)


def resize_like(x: KerasTensor, reference: KerasTensor, *, name: str) -> KerasTensor:
    """Resize bilinearly to the height and width of `reference`; the type of `x` stays.

    The layer is there even where both are equal: without it the weights of a model would come in
    another order than for other sizes.
    """
    return ResizeLike(dtype=x.dtype, name=name)([x, reference])


def pad_to_multiple(x: KerasTensor, multiple: int, *, name: str) -> KerasTensor:
    """Mirror `x` at the bottom and right; returns `x` itself where its static size fits.

    Zeros there would be a border that a network trained on windows which fit has never seen. On
    CamVid at 360x480 SegNet took the road near it for buildings.
    """
    height, width = x.shape[1:3]
    if _fits(height, multiple) and _fits(width, multiple):
        return x
    return PadToMultiple(multiple, "reflect", name=name)(x)


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
    """Pad `(N, H, W, C)` at the bottom and right to multiples of `multiple`.

    Height and width may be unknown until run time.

    Args:
        multiple: Positive integer that height and width are rounded up to.
        mode: `reflect` mirrors the image at its last row and column, as often as needed (the
            mirroring of U-Net, Ronneberger et al., 2015, arXiv 1505.04597). `zeros` is what
            model files have that were written before there was a choice.

    Raises:
        ValueError: Another `mode`.
    """

    def __init__(self, multiple: int, mode: str = "zeros", **kwargs):
        super().__init__(**kwargs)
        if mode not in PAD_MODES:
            raise ValueError(f"PadToMultiple pads with {' or '.join(PAD_MODES)}, not {mode!r}")
        self.multiple = multiple
        self.mode = mode

    def call(self, inputs):
        if self.mode == "zeros":
            return self._with_zeros(inputs)
        for axis in (1, 2):
            inputs = self._mirrored(inputs, axis)
        return inputs

    def _with_zeros(self, inputs):
        height, width = ops.shape(inputs)[1:3]
        bottom, right = self.missing(height), self.missing(width)
        padded = ops.pad(inputs, [[0, 0], [0, bottom], [0, right], [0, 0]])
        # Where sizes are symbolic TensorFlow forgets the number of channels, which converters need.
        shape = (-1, height + bottom, width + right, inputs.shape[-1])
        return ops.reshape(padded, shape)

    def _mirrored(self, inputs, axis: int):
        # Chosen rows, not `ops.pad`: that mirrors only once, and so not what is very small.
        if _fits(inputs.shape[axis], self.multiple):
            return inputs
        length = ops.shape(inputs)[axis]
        period = ops.maximum(2 * length - 2, 1)
        places = ops.arange(length + self.missing(length), dtype="int32") % period
        return ops.take(inputs, ops.minimum(places, period - places), axis=axis)

    def missing(self, length):
        """Return how many rows or columns are to be added to `length`."""
        # Not `-length % multiple`: ONNX' Mod of a negative number has another sign.
        return (self.multiple - length % self.multiple) % self.multiple

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, self._round_up(height), self._round_up(width), channels

    def _round_up(self, length: int | None) -> int | None:
        return None if length is None else length + self.missing(length)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple, "mode": self.mode}


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
class ResizeLike(layers.Layer):
    """Resize the first of two tensors `(N, H, W, C)` bilinearly to the size of the second.

    Half-pixel centres, so that corners of cells stay where they are, as in PyTorch's
    `align_corners=False`.
    """

    def call(self, inputs):
        x, reference = inputs
        if None not in x.shape[1:3] and x.shape[1:3] == reference.shape[1:3]:
            return x
        return resize_bilinear(x, ops.shape(reference)[1:3])

    def compute_output_shape(self, input_shape):
        x, reference = input_shape
        return x[0], reference[1], reference[2], x[3]


@keras.saving.register_keras_serializable("kseg")
class BilinearUpsample(layers.Layer):
    """Enlarge `(N, H, W, C)` bilinearly to `(N, factor H, factor W, C)`, half-pixel centres.

    Keras' `UpSampling2D` cannot do so in a compiled TensorFlow function of unknown size.

    Args:
        factor: Whole number of at least 1.
    """

    def __init__(self, factor: int, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return resize_bilinear(inputs, [n * self.factor for n in ops.shape(inputs)[1:3]])

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, *(None if n is None else n * self.factor for n in (height, width)), channels

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


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


@keras.saving.register_keras_serializable("kseg")
class SpaceToDepth(layers.Layer):
    """Move each 2x2 block of `(N, H, W, C)` to the channels of `(N, H/2, W/2, 4C)`."""

    def call(self, inputs):
        corners = [inputs[:, row::2, column::2, :] for row in (0, 1) for column in (0, 1)]
        return ops.concatenate(corners, axis=-1)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        halves = (None if length is None else length // 2 for length in (height, width))
        return batch, *halves, channels * 4
