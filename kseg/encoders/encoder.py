"""An encoder applied to images: a pyramid of features and the model that owns the weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import keras
from keras import KerasTensor, layers

from kseg.encoders import applications, resnet, xception65  # noqa: F401  (they register encoders)
from kseg.encoders.registry import EncoderSpec, encoder_spec
from kseg.encoders.rewrite import nominal_stride, producer, rewrite
from kseg.encoders.weights import build_stock
from kseg.kernels import use_channelwise
from kseg.layers.conv import BATCH_NORM_MOMENTUM
from kseg.layers.resample import SpaceToDepth

LAYER_NAME = "encoder"
STRIDES = (2, 4, 8, 16, 32)
_STOCK_SIZE = 512


@dataclass(frozen=True)
class FeaturePyramid:
    """The features of an encoder for one batch of images.

    Attributes:
        features: Tensors `(N, H / stride, W / stride, channels)` by stride, finest first.
        stages: The same by the stride that they have without dilation: with output stride 8 it
            still tells the stages 16 and 32 apart.
        model: The model that owns the weights; in the finished network it is the layer "encoder".
    """

    features: Mapping[int, KerasTensor]
    stages: Mapping[int, KerasTensor]
    model: keras.Model

    @property
    def deepest(self) -> KerasTensor:
        """The features of the last stage."""
        return self.stages[max(self.stages)]


@dataclass(frozen=True)
class Encoder:
    """A backbone by name, and the weights that it starts from.

    Attributes:
        name: A name of `list_encoders()`.
        weights: None for random weights, "imagenet" for those that Keras downloads, or the path of
            a weights file of the same `keras.applications` network without top.
    """

    name: str
    weights: str | None = None

    def __post_init__(self) -> None:
        """Check the name at once, before a graph is built.

        Raises:
            ValueError: An unknown encoder.
        """
        encoder_spec(self.name)

    @property
    def spec(self) -> EncoderSpec:
        """What is known about it."""
        return encoder_spec(self.name)

    def __call__(self, x: KerasTensor, *, output_stride: int = 32) -> FeaturePyramid:
        """Apply the encoder to images whose height and width are multiples of 32.

        Args:
            x: Images `(N, H, W, C)`, normalised by the encoder's convention.
            output_stride: Stride of the deepest features, 8, 16 or 32; strides beyond it become
                dilation.

        Raises:
            ValueError: An unknown encoder or output stride, or weights that do not fit.
        """
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride must be 8, 16 or 32, got {output_stride!r}")
        stock = build_stock(self.spec, _STOCK_SIZE, x.shape[-1], self.weights)
        taps = _taps(stock, self.spec)
        rewrite(stock, output_stride, BATCH_NORM_MOMENTUM)
        use_channelwise(stock)
        model = _open_sizes(stock, self.spec, list(taps.values()))
        stages = dict(zip(taps, model(x), strict=True))
        features = {min(stride, output_stride): tensor for stride, tensor in stages.items()}
        if 2 not in features:
            # ConvNeXt starts with stride 4: the pixels themselves stand in for finer features.
            features = {2: SpaceToDepth(name="pixels")(x), **features}
        return FeaturePyramid(features, stages, model)


def freeze_encoder(model: keras.Model, frozen: bool = True) -> None:
    """Stop (or go on with) the training of a model's encoder; compile the model again afterwards.

    Frozen batch normalisations use their moving statistics and leave them as they are.

    Raises:
        ValueError: The model has no encoder.
    """
    if LAYER_NAME not in (layer.name for layer in model.layers):
        raise ValueError(f"model {model.name!r} has no encoder to freeze")
    model.get_layer(LAYER_NAME).trainable = not frozen


def _taps(stock: keras.Model, spec: EncoderSpec) -> dict[int, KerasTensor]:
    """Return the tensors to take by nominal stride, finest first."""
    named: dict[int, KerasTensor] = {}
    trunk: dict[int, KerasTensor] = {}
    for operation in stock.operations:
        if spec.taps and re.fullmatch(spec.taps, operation.name):
            named[nominal_stride(stock, operation.output)] = operation.output
        source = _halved(stock, operation)
        if source is not None:
            widest = max(trunk.get(nominal_stride(stock, source), source), source, key=_channels)
            trunk[nominal_stride(stock, source)] = widest
    # The image itself is not a feature.
    trunk.pop(1, None)
    taps = {**trunk, **named}
    taps[max(STRIDES)] = stock.output if spec.last is None else _last_match(stock, spec.last)
    return dict(sorted(taps.items()))


def _halved(stock: keras.Model, operation: layers.Layer) -> KerasTensor | None:
    """Return what a layer makes a smaller map of, None if it does not."""
    before = producer(operation)
    if before is None or isinstance(operation, layers.GlobalAveragePooling2D):
        return None
    source = before.input if isinstance(before, layers.ZeroPadding2D) else operation.input
    if len(operation.output.shape) != 4 or 1 in (operation.output.shape[1], source.shape[1]):
        return None
    smaller = nominal_stride(stock, operation.output) > nominal_stride(stock, source)
    return source if smaller else None


def _channels(tensor: KerasTensor) -> int:
    return tensor.shape[-1]


def _last_match(stock: keras.Model, pattern: str) -> KerasTensor:
    return [op.output for op in stock.operations if re.fullmatch(pattern, op.name)][-1]


def _open_sizes(stock: keras.Model, spec: EncoderSpec, taps: list[KerasTensor]) -> keras.Model:
    """Return the model from images of any size to the taps, on the same layers."""
    first = stock.input if spec.first is None else stock.get_layer(spec.first).input
    inputs = keras.Input((None, None, first.shape[-1]))
    # Keras' `call` would apply nested models as they are, with the size that they were built for.
    features = keras.Model(first, taps)._run_through_graph([inputs], _inlined)
    return keras.Model(inputs, features, name=LAYER_NAME)


def _inlined(operation: Any) -> Callable:
    if not isinstance(operation, keras.Sequential):
        return operation
    return lambda x, **_: reduce(lambda tensor, layer: layer(tensor), operation.layers, x)
