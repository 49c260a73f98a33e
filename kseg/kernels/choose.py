"""Which layers run by TensorFlow's own kernels, which take a CPU through memory less often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import keras
from keras import layers

from kseg.kernels.channelwise import channelwise, is_channelwise
from kseg.kernels.convolve import by_blocks, by_transposing, can_convolve, convolve
from kseg.kernels.dilate import can_dilate, dilate
from kseg.kernels.drop import can_drop, drop
from kseg.kernels.enlarge import can_concatenate, can_enlarge, concatenate, enlarge
from kseg.kernels.normalise import can_normalise, normalise

_PRECISIONS = ("float32", "bfloat16")
_KERNELS = (
    (can_normalise, normalise),
    (can_enlarge, enlarge),
    (can_concatenate, concatenate),
    (can_dilate, dilate),
    (can_drop, drop),
    (is_channelwise, channelwise),
)


def use_own_kernels(model: keras.Model, jit: bool | str, *, constant: bool = False) -> None:
    """Let layers whose usual way on a CPU is a long one take a shorter one.

    Batch normalisation runs by one kernel, where Keras composes it of a dozen operations that each
    go through all of a map; convolutions after upsampling do without it; those whose dilation
    reaches beyond the maps leave out what is beyond; those with a group for each channel are not
    compiled by XLA; and dropout of channels is a product. Nothing is done on other backends, or
    with XLA, which makes one operation of many by itself. Results are the same up to rounding, and
    neither weights nor files change: what is saved are Keras' own layers.

    Args:
        model: Its layers for maps `(N, H, W, C)` in float32 or bfloat16 are changed in place.
        jit: What the model is compiled with.
        constant: The weights will be constants of the graph.
    """
    if keras.backend.backend() != "tensorflow" or jit is not False:
        return
    way = by_blocks if constant else by_transposing
    kernels = (*_KERNELS, (can_convolve, partial(convolve, way=way)))
    for layer in _layers(model):
        for fits, kernel in kernels:
            if fits(layer):
                layer.call = partial(kernel, layer)


@contextmanager
def own_kernels(model: keras.Model, jit: bool | str, *, constant: bool = False) -> Iterator[None]:
    """Use them within a block; see `use_own_kernels`."""
    before = {layer: vars(layer).get("call") for layer in _layers(model)}
    use_own_kernels(model, jit, constant=constant)
    try:
        yield
    finally:
        for layer, call in before.items():
            if "call" in vars(layer):
                del layer.call
            if call is not None:
                layer.call = call


def _layers(model: keras.Model) -> Iterator[layers.Layer]:
    for layer in model._flatten_layers():
        if layer.compute_dtype in _PRECISIONS:
            yield layer
